/*
 * Traffic that verifies itself, for the end-to-end tests and the live benches.
 *
 *   traffic serve PORT                 answers TCP and UDP by echo   [--ports N: as many from PORT on] [--corrupt N]
 *   traffic hold ADDRESS PORT          long-lived TCP connections that check every byte
 *       [--count N] [--open-rate PER-SECOND, 0 at once] [--rate MESSAGES-PER-SECOND] [--interval-ms MS, instead of a rate]
 *       [--size BYTES] [--drain-ms MS]
 *   traffic churn ADDRESS PORT         short TCP connections: open, one message and its echo, close
 *       [--rate PER-SECOND, 0 flat out] [--parallel N] [--size BYTES] [--timeout-ms MS] [--ports N] [--seconds S]
 *   traffic probe ADDRESS PORT         UDP round trips: gaps and latency
 *       [--interval-us US] [--size BYTES] [--grace-ms MS] [--seconds S]
 *
 * Each prints JSON, one object a line, first {"event":"ready"}. Commands are lines on standard input: "report" prints the
 * figures since the last report and begins new ones, "stop" prints the last ones and ends, as its end does.
 */
#include "common.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
	signal(SIGPIPE, SIG_IGN);
	/* Sleeps end when they are due, not up to 50 us later. */
	prctl(PR_SET_TIMERSLACK, 1);
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	set_nonblocking(STDIN_FILENO);
	const char *mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "serve") == 0 && argc >= 3) {
		set_options(argc - 3, argv + 3);
		return serve(atoi(argv[2]));
	}
	if (argc >= 4) {
		set_options(argc - 4, argv + 4);
		if (strcmp(mode, "hold") == 0)
			return hold(argv[2], atoi(argv[3]));
		if (strcmp(mode, "churn") == 0)
			return churn(argv[2], atoi(argv[3]));
		if (strcmp(mode, "probe") == 0)
			return probe(argv[2], atoi(argv[3]));
	}
	fprintf(stderr, "usage: traffic serve PORT | hold | churn | probe ADDRESS PORT [--NAME VALUE]...\n");
	return 2;
}
