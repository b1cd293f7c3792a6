/*
 * The other end for the tests against libusrsctp, with UDP encapsulation or, where LOCAL-UDP and REMOTE-UDP are 0,
 * without.
 *
 *   peer ROLE ENDING LOCAL-UDP REMOTE-UDP LOCAL-ADDRESS REMOTE-ADDRESS LOCAL-PORT REMOTE-PORT MESSAGES STREAMS
 *
 * ROLE: client | server. Sends MESSAGES messages, checks as many that arrive, and then, ENDING, does: "shutdown", "abort", or
 * "wait" for the other end to end it. Prints one line for each event. Message i of a sender goes to stream i modulo
 * STREAMS with i as payload protocol identifier; its size and its bytes follow from i, see size_of and byte_of.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrsctp.h>

#define MESSAGE_MAX 65536
#define STREAMS_MAX 16

static int messages, streams;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_received, is_closed;

/* Mostly small, one in ten up to 64 KiB. */
static size_t size_of(uint32_t i) {
	uint32_t mixed = i * 2654435761u;
	return 1 + (mixed >> 8) % (i % 10 == 0 ? MESSAGE_MAX : 1500);
}

static unsigned char byte_of(uint32_t i, size_t at) {
	return (unsigned char)(i * 31 + at * 7);
}

static void say(const char *what, long number) {
	printf("%s %ld\n", what, number);
	fflush(stdout);
}

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static void note(int *flag) {
	pthread_mutex_lock(&lock);
	*flag = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void await(int *flag) {
	pthread_mutex_lock(&lock);
	while (!*flag && !is_closed)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void notify(const union sctp_notification *notification) {
	switch (notification->sn_header.sn_type) {
	case SCTP_ASSOC_CHANGE:
		switch (notification->sn_assoc_change.sac_state) {
		case SCTP_COMM_UP:
			say("up", notification->sn_assoc_change.sac_outbound_streams);
			break;
		case SCTP_COMM_LOST:
			say("lost", notification->sn_assoc_change.sac_error);
			note(&is_closed);
			break;
		case SCTP_RESTART:
			say("restart", 0);
			break;
		case SCTP_SHUTDOWN_COMP:
			say("complete", 0);
			note(&is_closed);
			break;
		}
		break;
	case SCTP_PEER_ADDR_CHANGE:
		say("path", notification->sn_paddr_change.spc_state);
		break;
	}
}

static void *receive(void *argument) {
	struct socket *sock = argument;
	static unsigned char parts[STREAMS_MAX][MESSAGE_MAX];
	static size_t lengths[STREAMS_MAX];
	static unsigned char buffer[MESSAGE_MAX];
	int next[STREAMS_MAX] = {0};
	int received = 0;
	for (;;) {
		struct sctp_rcvinfo info;
		socklen_t info_length = sizeof info, from_length = 0;
		unsigned int info_type = 0;
		int flags = 0;
		ssize_t length = usrsctp_recvv(sock, buffer, sizeof buffer, NULL, &from_length, &info, &info_length,
		                               &info_type, &flags);
		if (length <= 0) {
			say("closed", received);
			note(&is_closed);
			return NULL;
		}
		if (flags & MSG_NOTIFICATION) {
			notify((union sctp_notification *)buffer);
			continue;
		}
		int stream = info.rcv_sid;
		if (stream >= streams || lengths[stream] + (size_t)length > MESSAGE_MAX) {
			say("wrong", stream);
			return NULL;
		}
		memcpy(parts[stream] + lengths[stream], buffer, (size_t)length);
		lengths[stream] += (size_t)length;
		if (!(flags & MSG_EOR))
			continue;
		uint32_t i = ntohl(info.rcv_ppid);
		int is_right = (int)i == next[stream] * streams + stream && lengths[stream] == size_of(i);
		for (size_t at = 0; is_right && at < lengths[stream]; at++)
			is_right = parts[stream][at] == byte_of(i, at);
		if (!is_right)
			say("wrong", i);
		next[stream]++;
		lengths[stream] = 0;
		if (++received == messages) {
			say("received", received);
			note(&is_received);
		}
	}
}

static void send_all(struct socket *sock) {
	static unsigned char bytes[MESSAGE_MAX];
	for (int i = 0; i < messages; i++) {
		size_t size = size_of((uint32_t)i);
		for (size_t at = 0; at < size; at++)
			bytes[at] = byte_of((uint32_t)i, at);
		struct sctp_sndinfo info = {.snd_sid = (uint16_t)(i % streams), .snd_ppid = htonl((uint32_t)i)};
		if (usrsctp_sendv(sock, bytes, size, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0) {
			say("unsent", i);
			return;
		}
	}
	say("sent", messages);
}

static struct sockaddr_in address_of(const char *address, const char *port) {
	struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	inet_pton(AF_INET, address, &result.sin_addr);
	return result;
}

static void subscribe(struct socket *sock) {
	const uint16_t types[] = {SCTP_ASSOC_CHANGE, SCTP_PEER_ADDR_CHANGE};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = types[i], .se_on = 1};
		if (usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
			fail("SCTP_EVENT");
	}
}

int main(int count, char **arguments) {
	if (count != 11)
		return 2;
	int is_client = strcmp(arguments[1], "client") == 0;
	const char *ending = arguments[2];
	struct sockaddr_in local = address_of(arguments[5], arguments[7]);
	struct sockaddr_in remote = address_of(arguments[6], arguments[8]);
	messages = atoi(arguments[9]);
	streams = atoi(arguments[10]);

	usrsctp_init((uint16_t)atoi(arguments[3]), NULL, NULL);
	usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
	usrsctp_sysctl_set_sctp_rto_min_default(50);
	usrsctp_sysctl_set_sctp_rto_initial_default(100);
	usrsctp_sysctl_set_sctp_rto_max_default(400);
	usrsctp_sysctl_set_sctp_init_rto_max_default(400);
	usrsctp_sysctl_set_sctp_delayed_sack_time_default(20);
	usrsctp_sysctl_set_sctp_heartbeat_interval_default(200);
	usrsctp_sysctl_set_sctp_path_rtx_max_default(4);

	struct socket *sock = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	if (sock == NULL)
		fail("socket");
	const int on = 1;
	usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on);
	usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
	struct sctp_initmsg init = {.sinit_num_ostreams = (uint16_t)streams, .sinit_max_instreams = (uint16_t)streams};
	usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init);
	struct sctp_udpencaps encapsulation = {.sue_port = htons((uint16_t)atoi(arguments[4]))};
	encapsulation.sue_address.ss_family = AF_INET;
	if (encapsulation.sue_port != 0 &&
	    usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &encapsulation,
	                       sizeof encapsulation) < 0)
		fail("SCTP_REMOTE_UDP_ENCAPS_PORT");
	subscribe(sock);
	if (usrsctp_bind(sock, (struct sockaddr *)&local, sizeof local) < 0)
		fail("bind");
	if (is_client) {
		say("ready", 0);
		if (usrsctp_connect(sock, (struct sockaddr *)&remote, sizeof remote) < 0)
			fail("connect");
	} else {
		if (usrsctp_listen(sock, 1) < 0)
			fail("listen");
		say("ready", 0);
		struct socket *listener = sock;
		sock = usrsctp_accept(listener, NULL, NULL);
		if (sock == NULL)
			fail("accept");
		subscribe(sock);
		say("accepted", 0);
	}

	pthread_t receiver;
	pthread_create(&receiver, NULL, receive, sock);
	send_all(sock);
	await(&is_received);
	if (strcmp(ending, "shutdown") == 0)
		usrsctp_shutdown(sock, SHUT_WR);
	if (strcmp(ending, "abort") == 0) {
		struct linger now = {.l_onoff = 1, .l_linger = 0};
		usrsctp_setsockopt(sock, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		usrsctp_close(sock);
		usleep(200000);
		say("aborted", 0);
		return 0;
	}
	await(&is_closed);
	say("done", 0);
	/* The last packet may be lost: who repeats the one before it is answered for as long as this process lives. */
	for (;;)
		pause();
}
