#!/usr/bin/env bash
# Records the captures of this folder: real clients and servers in network namespaces, and tcpdump on the two
# interfaces of the router between them.
#
#   sudo examples/record.sh [DIRECTORY [NAME...]]      default: the folder of this script, all captures
#
#    pc1 .11 --+  10.1.1.0/24             203.0.113.0/24            +-- server: 198.51.100.0/24
#    pc2 .12 --+ 2001:db8:1::/64         2001:db8:ff::/64           |   www .80, mirror .90, dns .53, ftp .21
#    web .80 --+------- in0 [router] out0 ------- .254 [isp] -------+
#                       .1            .1           ::fe             +-- public: 192.0.2.0/24
#                                                                       visitor .10, scanner .66
#
# The router forwards everything and filters nothing. Only what ENTERS it is recorded (`tcpdump -Q in`), so
# every packet is in the file once, on the interface where a firewall in the router's place would meet it.
# Offloads are off: no frame is larger than on a wire, and checksums are true. All of it happens in namespaces
# made here, which have no way out; they and every process in them go away when the script ends, however it ends.
set -euo pipefail
export LC_ALL=C

readonly OUT=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}
readonly PREFIX=twinwall-$$
readonly NODES=(lan pc1 pc2 web router isp server public)
readonly TOTAL_BYTES_MAX=$((2 * 1024 * 1024))
# The captures and their snapshot lengths: the whole frame, or Ethernet, IPv6 and TCP with all their options.
readonly FULL=262144 HEADERS=128
readonly -A SNAPLEN=(
  [office]=$FULL [ftp]=$FULL [fragments]=$FULL [scan]=$FULL [ipv6]=$FULL [transfer]=$HEADERS)
readonly WEB4=10.1.1.80 WEB6=2001:db8:1::80
readonly SCANNER=192.0.2.66 SCANNER6=2001:db8:bad::66 VISITOR=192.0.2.10 VISITOR6=2001:db8:bad::10
readonly SILENT=198.51.100.99   # the provider discards what goes there: no answer, not even an error

die() { echo "record.sh: $*" >&2; exit 1; }

# ---------------------------------------------------------------------------------------------- tools

need() { # need COMMAND PACKAGE: notes a missing tool
  command -v "$1" >/dev/null || missing+=("$2")
}

check_tools() {
  [ "$(id -u)" -eq 0 ] || die "must run as root: it makes network namespaces"
  local missing=()
  need ip iproute2; need ethtool ethtool; need nft nftables; need openssl openssl
  need sysctl procps; need tcpdump tcpdump; need tshark tshark; need dumpcap wireshark-common
  need nginx nginx-light; need curl curl; need dnsmasq dnsmasq-base; need dig bind9-dnsutils
  need vsftpd vsftpd; need ping iputils-ping; need traceroute traceroute; need nmap nmap; need iperf3 iperf3
  [ ${#missing[@]} -eq 0 ] || die "missing tools; on Debian: apt-get install ${missing[*]}"
  id ftp >/dev/null 2>&1 || die "missing user: vsftpd's package makes the user ftp"
  [ -e /etc/resolv.conf ] || die "missing /etc/resolv.conf: the clients' own is mounted over it"
}

# ----------------------------------------------------------------------------------- namespaces and wires

# What runs in a namespace has a resolver of its own: ip-netns gives each command its own mount namespace, so
# the bind mount is seen by nobody else. Each step is an exec: the process that starts is the one that stays.
# shellcheck disable=SC2016
readonly WITH_RESOLVER='mount --bind "$0" /etc/resolv.conf && exec "$@"'

run() { # run NODE COMMAND...
  local node=$1
  shift
  ip netns exec "$PREFIX-$node" sh -c "$WITH_RESOLVER" "$WORK/resolv.conf" "$@"
}

start() { # start NODE COMMAND...: in the background and silently; sets STARTED to its process id
  local node=$1
  shift
  ip netns exec "$PREFIX-$node" sh -c "$WITH_RESOLVER" "$WORK/resolv.conf" "$@" >/dev/null 2>&1 &
  STARTED=$!
}

quiet() { "$@" >/dev/null 2>&1; }

fails() { # a command of which failing is the point
  if quiet "$@"; then die "should have failed: $*"; fi
}

cleanup() {
  local node pids
  trap - EXIT INT TERM
  set +e
  exec 2>/dev/null   # the shell's obituaries
  for node in "${NODES[@]}"; do
    # Only what this script started can be in namespaces that it made.
    pids=$(ip netns pids "$PREFIX-$node")
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -KILL $pids
  done
  wait
  for node in "${NODES[@]}"; do ip netns del "$PREFIX-$node"; done
  rm -rf "$WORK"
}

set_sysctl() { # set_sysctl NODE KEY=VALUE...
  local node=$1
  shift
  run "$node" sysctl -qw "$@"
}

make_node() {
  ip netns add "$PREFIX-$1"
  ip -n "$PREFIX-$1" link set lo up
  # Nothing that depends on the host's settings or on a rate limiter's clock: the same packets each time.
  set_sysctl "$1" net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.addr_gen_mode=0 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \
    net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.default.accept_source_route=1 \
    net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.ipfrag_time=2 net.ipv6.ip6frag_time=2
}

make_wire() { # make_wire NODE INTERFACE MAC NODE INTERFACE MAC
  ip link add "$2" address "$3" netns "$PREFIX-$1" type veth peer name "$5" address "$6" netns "$PREFIX-$4"
  local end
  for end in "$1 $2" "$4 $5"; do
    # shellcheck disable=SC2086
    set -- $end
    quiet run "$1" ethtool -K "$2" tx off rx off sg off tso off gso off gro off || die "ethtool -K $2 in $1"
    ip -n "$PREFIX-$1" link set "$2" up
  done
}

add_addresses() { # add_addresses NODE INTERFACE ADDRESS/LENGTH...
  local node=$1 interface=$2 address
  shift 2
  for address in "$@"; do ip -n "$PREFIX-$node" address add "$address" dev "$interface"; done
}

add_routes() { # add_routes NODE DESTINATION GATEWAY [DESTINATION GATEWAY]...
  local node=$1
  shift
  while [ $# -gt 0 ]; do
    ip -n "$PREFIX-$node" route add "$1" via "$2"
    shift 2
  done
}

build() {
  local node
  for node in "${NODES[@]}"; do make_node "$node"; done

  ip -n "$PREFIX-lan" link add switch type bridge stp_state 0 mcast_snooping 0
  ip -n "$PREFIX-lan" link set switch up
  make_wire router in0 02:00:00:01:00:01 lan to-router 02:00:00:01:01:01
  make_wire pc1 eth0 02:00:00:01:00:11 lan to-pc1 02:00:00:01:01:11
  make_wire pc2 eth0 02:00:00:01:00:12 lan to-pc2 02:00:00:01:01:12
  make_wire web eth0 02:00:00:01:00:80 lan to-web 02:00:00:01:01:80
  for node in router pc1 pc2 web; do ip -n "$PREFIX-lan" link set "to-$node" master switch; done
  make_wire router out0 02:00:00:02:00:01 isp out0 02:00:00:02:00:fe
  make_wire isp servers 02:00:00:03:00:01 server eth0 02:00:00:03:00:80
  make_wire isp public 02:00:00:04:00:01 public eth0 02:00:00:04:00:66

  add_addresses router in0 10.1.1.1/24 2001:db8:1::1/64
  add_addresses router out0 203.0.113.1/24 2001:db8:ff::1/64
  add_addresses pc1 eth0 10.1.1.11/24 2001:db8:1::11/64
  add_addresses pc2 eth0 10.1.1.12/24 2001:db8:1::12/64
  add_addresses web eth0 $WEB4/24 $WEB6/64
  add_addresses isp out0 203.0.113.254/24 2001:db8:ff::fe/64
  add_addresses isp servers 198.51.100.1/24 2001:db8:51::1/64
  add_addresses isp public 192.0.2.1/24 2001:db8:bad::1/64
  add_addresses server eth0 198.51.100.{80,90,53,21}/24 2001:db8:51::{80,53,21}/64
  add_addresses public eth0 $SCANNER/24 $VISITOR/24 $SCANNER6/64 $VISITOR6/64

  for node in router isp; do set_sysctl "$node" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
  for node in pc1 pc2 web; do add_routes "$node" default 10.1.1.1 default 2001:db8:1::1; done
  add_routes router default 203.0.113.254 default 2001:db8:ff::fe
  add_routes isp 10.1.1.0/24 203.0.113.1 2001:db8:1::/64 2001:db8:ff::1
  add_routes server default 198.51.100.1 default 2001:db8:51::1
  add_routes public default 192.0.2.1 default 2001:db8:bad::1

  # The provider: a small MTU towards the servers, as through a tunnel, and one address that is void.
  local isp="$PREFIX-isp"
  ip -n "$isp" route change 198.51.100.0/24 dev servers proto kernel scope link src 198.51.100.1 mtu lock 1400
  ip -n "$isp" -6 route change 2001:db8:51::/64 dev servers proto kernel metric 256 mtu lock 1400
  ip -n "$isp" route add blackhole $SILENT/32

  # pc1 is a present-day system with ECN; pc2 is an old one: no options but the MSS, small buffers.
  # To the mirror pc1 asks for segments of 536 bytes, as over an old line.
  set_sysctl pc1 net.ipv4.tcp_ecn=1
  set_sysctl pc2 net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 \
    net.ipv4.tcp_rmem="4096 16384 32768"
  ip -n "$PREFIX-pc1" route add 198.51.100.90/32 via 10.1.1.1 advmss 536
}

# ------------------------------------------------------------------------------------------- servers

fill() { # fill NAME BYTES: a text of that length, below $WORK
  head -c "$2" < <(yes "This is $1 of the example.") >"$WORK/$1"
}

set_resolver() { printf 'nameserver %s\noptions timeout:2 attempts:1\n' "$1" >"$WORK/resolv.conf"; }

make_files() {
  local i
  chmod 755 "$WORK"   # servers that give up root read below it
  mkdir -p "$WORK"/{www,ftp/incoming,tftp,nginx,empty}
  fill "www/index.html" 2500
  fill "www/style.css" 3000
  fill "www/photo1.jpg" 5000
  fill "www/photo2.jpg" 6000
  for i in $(seq -w 20); do fill "www/icon$i.png" $((150 + 10#$i * 13)); done
  fill "www/backup.tar" 130000
  fill "www/song.mp3" 100000
  fill "www/film.mp4" 400000
  fill "www/live.mp4" 400000
  fill "ftp/readme.txt" 5000
  fill "tftp/phone.cfg" 3000
  fill "report.txt" 10000
  fill "archive.tar" 300000
  chown ftp "$WORK/ftp/incoming"
  set_resolver 198.51.100.53
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=www.example.net -days 3650 \
    -keyout "$WORK/nginx/key.pem" -out "$WORK/nginx/certificate.pem" 2>/dev/null
}

nginx_configuration() { # nginx_configuration NAME: a web site; two files go out slowly
  cat <<END
daemon off; worker_processes 1; user root; pid $WORK/nginx/$1.pid; error_log $WORK/nginx/$1.log;
events { worker_connections 64; }
http {
  access_log off; sendfile off;
  client_body_temp_path $WORK/nginx/body; proxy_temp_path $WORK/nginx/proxy;
  fastcgi_temp_path $WORK/nginx/fastcgi; uwsgi_temp_path $WORK/nginx/uwsgi; scgi_temp_path $WORK/nginx/scgi;
  ssl_certificate $WORK/nginx/certificate.pem; ssl_certificate_key $WORK/nginx/key.pem;
  server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    root $WORK/www;
    location = /backup.tar { limit_rate 2500; }
    location = /live.mp4 { limit_rate 20k; }
  }
}
END
}

ftp_configuration() { # ftp_configuration LISTEN-LINES
  cat <<END
$1
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=$WORK/ftp
write_enable=YES
anon_upload_enable=YES
connect_from_port_20=YES
pasv_min_port=40000
pasv_max_port=40099
secure_chroot_dir=$WORK/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=NO
END
}

await_listener() { # await_listener NODE ss-FILTER...
  local node=$1 i
  shift
  for i in $(seq 100); do
    [ -z "$(run "$node" ss -Hnlut "$@")" ] || return 0
    sleep 0.1
  done
  die "no server in $node: $*"
}

start_servers() {
  local name long_text="" i
  for name in server web; do
    nginx_configuration $name >"$WORK/nginx/$name.conf"
    start $name nginx -p "$WORK/nginx" -e "$WORK/nginx/$name.log" -c "$WORK/nginx/$name.conf"
  done

  # dig asks for this one to get an answer of about 3,000 bytes: several fragments, or TCP.
  for i in $(seq 12); do long_text+=,$(printf "part-%02d-%0230d" "$i" 0); done
  start server dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
    --pid-file= --bind-interfaces --listen-address=198.51.100.53,2001:db8:51::53 --edns-packet-max=4096 \
    --local=/example.net/ --host-record=www.example.net,198.51.100.80,2001:db8:51::80 \
    --host-record=mirror.example.net,198.51.100.90 --mx-host=example.net,mail.example.net,10 \
    --txt-record="long.example.net$long_text" --enable-tftp --tftp-root="$WORK/tftp"
  DNS_PID=$STARTED

  ftp_configuration $'listen=YES\nlisten_address=198.51.100.21' >"$WORK/ftp4.conf"
  ftp_configuration $'listen=NO\nlisten_ipv6=YES\nlisten_address6=2001:db8:51::21' >"$WORK/ftp6.conf"
  start server vsftpd "$WORK/ftp4.conf"
  start server vsftpd "$WORK/ftp6.conf"
  start server iperf3 -s

  for name in server web; do await_listener $name sport = :80; done
  await_listener server src 198.51.100.53 and sport = :53
  await_listener server src 198.51.100.21 and sport = :21
  await_listener server src '[2001:db8:51::21]' and sport = :21
  await_listener server sport = :5201
}

# ---------------------------------------------------------------------------------------- the recording

start_tcpdump() { # start_tcpdump INTERFACE FILE SNAPLEN; sets STARTED
  local i
  : >"$2.log"
  # shellcheck disable=SC2016
  start router sh -c 'exec tcpdump "$@" 2>"$0"' "$2.log" \
    -i "$1" -Q in -p -n -U -s "$3" --time-stamp-precision=nano -Z root -w "$2"
  for i in $(seq 100); do
    if grep -q "listening on" "$2.log"; then return 0; fi
    sleep 0.1
  done
  die "tcpdump does not start: $(cat "$2.log")"
}

join_captures() { # join_captures FILE: in.pcap and out.pcap as one pcapng, interfaces named, in order of time
  local fifos="$WORK/fifos"
  mkdir "$fifos"
  mkfifo "$fifos/in" "$fifos/out"
  cat "$WORK/in.pcap" >"$fifos/in" &
  cat "$WORK/out.pcap" >"$fifos/out" &
  # dumpcap writes the names; it reads both pipes at once, so the order is put right afterwards.
  quiet dumpcap -q -i "$fifos/in" --ifname GigabitEthernet0/0 --ifdescr inside \
    -i "$fifos/out" --ifname GigabitEthernet0/1 --ifdescr outside -w "$WORK/joined.pcapng"
  quiet reordercap "$WORK/joined.pcapng" "$1"
  rm -r "$fifos" "$WORK/joined.pcapng"
}

forget() { # neighbours, path MTUs and round-trip times: each recording starts in the same state
  local node
  for node in "${NODES[@]}"; do
    ip -n "$PREFIX-$node" neigh flush all
    ip -n "$PREFIX-$node" route flush cache
    ip -n "$PREFIX-$node" -6 route flush cache
    ip -n "$PREFIX-$node" tcp_metrics flush all
  done
}

record() { # record NAME: runs scenario_NAME between two tcpdumps, writes NAME.pcapng
  local name=$1 in_pid out_pid
  echo "recording $name ..."
  forget
  start_tcpdump in0 "$WORK/in.pcap" "${SNAPLEN[$name]}"
  in_pid=$STARTED
  start_tcpdump out0 "$WORK/out.pcap" "${SNAPLEN[$name]}"
  out_pid=$STARTED
  "scenario_$name"
  sleep 1
  kill -INT "$in_pid" "$out_pid"
  wait "$in_pid" "$out_pid" || die "tcpdump failed"
  if grep -h "dropped by kernel" "$WORK"/{in,out}.pcap.log | grep -qv "^0 "; then
    die "tcpdump lost packets"
  fi
  join_captures "$WORK/$name.pcapng"
}

count() { # count FILE DISPLAY-FILTER
  tshark -r "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -Y "$2" \
    -T fields -e frame.number 2>/dev/null | wc -l
}

# What each capture has to show: NAME # what # display filter
highlights() {
  cat <<'END'
office # web, IPv4 # tcp.flags == 0x002 && tcp.dstport == 80 && ip.src == 10.1.1.12
office # web, IPv6 # tcp.flags.syn == 1 && tcp.dstport == 80 && ipv6.src == 2001:db8:1::11
office # TLS # tls.handshake.type == 1
office # pages published by the office # tcp.flags.syn == 1 && tcp.dstport == 80 && ip.dst == 10.1.1.80
office # slow transfer in segments of 536 bytes # tcp.srcport == 80 && ip.src == 198.51.100.90 && tcp.len > 0
office # transfer given up # tcp.flags.reset == 1 && tcp.dstport == 80 && ip.dst == 198.51.100.80
office # connection refused # tcp.flags.reset == 1 && tcp.srcport == 8080 && ip.dst == 10.1.1.12
office # connection without an answer # tcp.flags.syn == 1 && ip.dst == 198.51.100.99
office # DNS: A and AAAA # dns.flags.response == 1 && dns.qry.type in {1, 28} && dns.flags.rcode == 0
office # DNS: no such name # dns.flags.rcode == 3 && ip.src == 198.51.100.53
office # DNS: truncated, then TCP # dns.flags.truncated == 1 || (tcp.srcport == 53 && dns)
office # DNS: without an answer # dns && ip.dst == 198.51.100.99
office # DNS: after 7 seconds # dns.time > 5
office # FTP: passive # ftp.request.command in {"EPSV", "PASV"}
office # FTP: active # ftp.request.command in {"EPRT", "PORT"}
office # FTP: data from port 20 # tcp.flags.syn == 1 && tcp.flags.ack == 0 && tcp.srcport == 20
office # path MTU discovery # (icmp.type == 3 && icmp.code == 4) || icmpv6.type == 2
office # ping # icmp.type == 0 || icmpv6.type == 129
office # traceroute # (icmp.type == 11 && icmp.code == 0) || icmpv6.type == 3
office # fragments # ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr
office # port scan # tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.src == 192.0.2.66
ftp # EPSV # ftp.request.command == "EPSV"
ftp # PASV # ftp.request.command == "PASV"
ftp # EPRT # ftp.request.command == "EPRT"
ftp # PORT # ftp.request.command == "PORT"
ftp # PORT with another's address # ftp.request.arg matches "^10,1,1,80,"
ftp # IPv6 # ftp.request && ipv6
ftp # TFTP # tftp.opcode == 1
fragments # IPv4 # ip.flags.mf == 1 || ip.frag_offset > 0
fragments # IPv6 # ipv6.fraghdr
fragments # datagram of 65,535 bytes # ip.frag_offset == 8140
fragments # reassembly given up # icmp.type == 11 && icmp.code == 1
fragments # TCP header in pieces # ip.proto == 6 && ip.flags.mf == 1
scan # SYN # tcp.flags == 0x002
scan # no flags, FIN, XMAS # tcp.flags in {0x000, 0x001, 0x029}
scan # bad checksum # tcp.checksum.status == Bad && !icmp
scan # other protocols # ip.proto in {2, 4, 41, 47, 50, 89, 132} && !icmp
scan # inside source from outside # ip.src == 10.1.1.12 && eth.src == 02:00:00:02:00:fe
scan # IPv4 options # ip.opt.type
scan # ICMP redirect # icmp.type == 5
scan # source equal to destination # ip.src == 10.1.1.80 && ip.dst == 10.1.1.80
scan # martians # ip.src in {127.0.0.0/8, 240.0.0.0/4, 224.0.0.0/4}
scan # TTL 1 # ip.ttl == 1 && tcp
ipv6 # web # tcp.flags.syn == 1 && tcp.dstport == 80
ipv6 # DNS # dns.flags.response == 1
ipv6 # FTP # ftp.request.command in {"EPSV", "EPRT"}
ipv6 # packet too big # icmpv6.type == 2
ipv6 # traceroute # icmpv6.type == 3
ipv6 # neighbour discovery # icmpv6.type in {135, 136}
ipv6 # fragments # ipv6.fraghdr
ipv6 # port scan # ipv6.src == 2001:db8:bad::66 && tcp.flags.syn == 1
transfer # data # tcp.len > 0
transfer # retransmissions # tcp.analysis.retransmission || tcp.analysis.fast_retransmission
transfer # out of order # tcp.analysis.out_of_order
transfer # SACK blocks # tcp.options.sack_le
transfer # zero window # tcp.analysis.zero_window
transfer # keep-alive # tcp.analysis.keep_alive_ack
transfer # reset # tcp.flags.reset == 1
transfer # cut frames # frame.cap_len < frame.len
END
}

verify() { # verify NAME: what must hold for each capture, and what this one has to show
  local file="$WORK/$1.pcapng" wrong name what filter
  # nmap's --badsum is asked for in scan, and only there. ICMP errors quote segments cut short, of which
  # tshark finds the checksum wrong.
  if [ "$1" != scan ]; then
    wrong=$(count "$file" "ip.checksum.status == Bad || icmp.checksum.status == Bad ||
      icmpv6.checksum.status == Bad ||
      (!icmp && !icmpv6 && (tcp.checksum.status == Bad || udp.checksum.status == Bad))")
    [ "$wrong" -eq 0 ] || die "$1: $wrong bad checksums"
  fi
  wrong=$(count "$file" "eth.src == 02:00:00:01:00:01 || eth.src == 02:00:00:02:00:01")
  [ "$wrong" -eq 0 ] || die "$1: $wrong packets that the router sent"
  wrong=$(count "$file" "frame.time_delta < 0")
  [ "$wrong" -eq 0 ] || die "$1: $wrong packets out of order"
  while IFS='#' read -r name what filter; do
    [ "$name" = "$1 " ] || continue
    wrong=$(count "$file" "$filter")
    printf '  %6d %s\n' "$wrong" "$what"
    [ "$wrong" -gt 0 ] || die "$1 does not show:$what"
  done < <(highlights)
}

# ------------------------------------------------------------------------------- what people and programs do

load_page() { # load_page NODE URL [curl option...]: a page with its pictures, six at a time
  local node=$1 url=$2
  shift 2
  run "$node" curl -sSf -o /dev/null "$@" "$url/index.html"
  run "$node" curl -sSf --no-progress-meter -Z --parallel-max 6 "$@" \
    -o /dev/null "$url/style.css" -o /dev/null "$url/photo[1-2].jpg" -o /dev/null "$url/icon[01-20].png"
}

visit() { # visit SOURCE URL: someone outside looks at the office's published page
  run public curl -sSf --no-progress-meter -Z --parallel-max 3 --interface "$1" \
    -o /dev/null "$2/index.html" -o /dev/null "$2/icon[01-06].png"
}

ask() { # ask NODE dig-ARGUMENT...
  local node=$1
  shift
  quiet run "$node" dig +tries=1 +timeout=2 "$@"
}

ftp_transfers() { # ftp_transfers NODE HOST [curl option...]: the listing, a file, and one back
  local node=$1 host=$2
  shift 2
  run "$node" curl -sSf -o /dev/null "$@" "ftp://$host/" -o /dev/null "ftp://$host/readme.txt"
  run "$node" curl -sSf "$@" -T "$WORK/report.txt" "ftp://$host/incoming/"
  rm -f "$WORK/ftp/incoming/report.txt"   # vsftpd lets nobody overwrite it
}

path_to() { # path_to NODE traceroute-ARGUMENT...: one probe at a time
  local node=$1
  shift
  quiet run "$node" traceroute -n -q 2 -N 1 -w 1 -m 6 "$@"
}

scan() { # scan nmap-ARGUMENT...: slow enough to be told apart, ports in order
  run public nmap -n -Pn -r --disable-arp-ping --max-retries 0 --max-rate 50 --host-timeout 20s "$@" \
    >"$WORK/nmap.log" 2>&1
  ! grep -q " 0 hosts scanned" "$WORK/nmap.log" || die "nmap $*: $(cat "$WORK/nmap.log")"
}

throw() { # throw NODE nping-ARGUMENT...: a packet that nobody asked for
  local node=$1
  shift
  quiet run "$node" nping -c 1 --delay 0 -H "$@"
}

slow_dns() { # slow_dns NODE SECONDS: the answer comes after that time
  kill -STOP "$DNS_PID"
  start "$1" dig +tries=1 +timeout=$(($2 + 4)) mirror.example.net A
  local question=$STARTED
  sleep "$2"
  kill -CONT "$DNS_PID"
  wait "$question"
}

kill_download() { # kill_download NODE URL: the client dies with data unread, so that its system sends a reset
  start "$1" curl -s -o /dev/null "$2"
  local client=$STARTED
  sleep 1
  kill -STOP "$client"
  sleep 1.5
  kill -KILL "$client"
  { wait "$client" || true; } 2>/dev/null   # the shell reports the death
}

lose() { # lose NFT-MATCH: the provider loses what matches, until find_again
  run isp nft "add table inet loss; add chain inet loss forward { type filter hook forward priority 0; }
    add rule inet loss forward $1 drop"
}
find_again() { run isp nft delete table inet loss; }

# ------------------------------------------------------------------------------------------- scenarios

scenario_office() { # a minute of an office's day, everything a little
  local download echoes round
  start pc1 curl -sSf -o /dev/null http://mirror.example.net/backup.tar
  download=$STARTED
  start pc2 ping -c 60 -i 1 198.51.100.80
  echoes=$STARTED

  quiet run pc1 ping -c 2 -i 0.2 10.1.1.1
  quiet run pc2 ping -c 2 -i 0.2 2001:db8:1::1
  ask pc1 www.example.net A
  ask pc1 www.example.net AAAA
  ask pc2 example.net MX
  ask pc2 nosuch.example.net A
  ask pc2 long.example.net TXT +bufsize=1232
  fails run pc1 dig +tries=2 +timeout=2 @$SILENT www.example.net A

  for round in 1 2; do
    load_page pc1 http://www.example.net -4
    load_page pc2 http://www.example.net -4 -H "Connection: close"
    load_page pc1 http://www.example.net -6
    visit $VISITOR http://$WEB4
    sleep "$((round * 3))"
  done
  run pc1 curl -sSfk -o /dev/null https://www.example.net/photo1.jpg

  ftp_transfers pc1 198.51.100.21                                   # passive: EPSV
  ftp_transfers pc2 198.51.100.21 --disable-epsv                    # passive: PASV
  ftp_transfers pc1 198.51.100.21 --ftp-port - --disable-eprt       # active: PORT
  ftp_transfers pc2 198.51.100.21 --ftp-port -                      # active: EPRT

  path_to pc1 198.51.100.80
  path_to pc1 -6 2001:db8:51::80

  fails run pc2 curl -s --max-time 3 http://198.51.100.80:8080/     # refused
  fails run pc2 curl -s --max-time 3 telnet://198.51.100.80:23      # the policy has something against telnet
  fails run pc1 curl -s --max-time 4 http://$SILENT/                # nobody there
  kill_download pc1 http://198.51.100.80/live.mp4

  quiet run pc1 ping -c 3 -i 0.2 -s 4000 198.51.100.80
  quiet run pc1 ping -c 3 -i 0.2 -s 4000 2001:db8:51::80            # the first one meets the tunnel
  quiet run pc2 iperf3 -c 198.51.100.80 -u -l 4000 -b 320k -n 12000
  ask pc1 long.example.net TXT +bufsize=4096

  visit $VISITOR6 "http://[$WEB6]"
  scan -sS -S $SCANNER -e eth0 -p 21-23,25,80,110,135,139,143,443,445,3306,3389,8080 \
    $WEB4 10.1.1.11 203.0.113.1
  scan -6 -sS -S $SCANNER6 -e eth0 -p 22,80,443 $WEB6
  throw public --udp -g 53 -p 33000 --data-length 40 10.1.1.11      # a DNS answer without a question
  throw public --udp -p 161 --data-length 40 10.1.1.12
  throw public --tcp --flags ack -p 445 10.1.1.12
  throw public --icmp --icmp-type echo-request 10.1.1.11
  throw public --icmp --icmp-type echo-reply 10.1.1.11
  throw public --icmp --icmp-type echo-request 203.0.113.1

  slow_dns pc1 7
  load_page pc2 http://www.example.net -4 -H "Connection: close"
  wait "$echoes"
  wait "$download"
}

scenario_ftp() { # protocols that open a second connection: FTP in its four ways and two families, TFTP
  ftp_transfers pc1 198.51.100.21
  ftp_transfers pc1 198.51.100.21 --disable-epsv
  ftp_transfers pc1 198.51.100.21 --ftp-port - --disable-eprt
  ftp_transfers pc1 198.51.100.21 --ftp-port -
  ftp_transfers pc1 '[2001:db8:51::21]'
  ftp_transfers pc1 '[2001:db8:51::21]' --ftp-port -
  run pc2 curl -sSf -o /dev/null tftp://198.51.100.53/phone.cfg
  fails run pc2 curl -s ftp://198.51.100.21/nosuch.txt
  # PORT with somebody else's address (the FTP bounce attack); vsftpd refuses it too.
  fails run pc1 curl -s --disable-eprt --ftp-port $WEB4 ftp://198.51.100.21/readme.txt
}

scenario_fragments() { # datagrams larger than a frame
  quiet run pc1 ping -c 2 -i 0.2 -s 4000 198.51.100.80
  quiet run pc1 ping -c 3 -i 0.2 -s 4000 2001:db8:51::80
  quiet run pc1 ping -c 1 -s 65507 198.51.100.80                    # the largest datagram there is
  quiet run pc1 iperf3 -c 198.51.100.80 -u -l 4000 -b 320k -n 12000
  quiet run pc1 iperf3 -c 198.51.100.80 -u -l 4000 -b 320k -n 12000 -R
  ask pc2 long.example.net TXT +bufsize=4096
  ask pc2 @2001:db8:51::53 long.example.net TXT +bufsize=4096
  lose 'iifname servers ip frag-off & 0x3fff == 0x2000'             # answers lose their first fragment
  fails run pc1 ping -c 2 -i 0.2 -W 1 -s 3000 198.51.100.80
  find_again
  lose 'iifname servers ip frag-off & 0x1fff == 185'                # and their second one
  fails run pc1 ping -c 2 -i 0.2 -W 1 -s 3000 198.51.100.80
  find_again
  sleep 2                                                           # pc1 gives up: time exceeded, from inside
  scan -sS -S $SCANNER -e eth0 -f -p 80 $WEB4                       # a TCP header cut in pieces of 8 bytes
  scan -sS -S $SCANNER -e eth0 --mtu 16 -p 81 $WEB4                 # of 16 bytes
}

scenario_scan() { # somebody outside wants in
  local kind
  scan -sS -S $SCANNER -e eth0 -p 20-30,80,110,111,135,139,143,443,445,993,3306,3389,8080 $WEB4 10.1.1.11
  for kind in -sA -sF -sX -sN -sM; do scan $kind -S $SCANNER -e eth0 -p 22,80 $WEB4; done
  scan -sU -S $SCANNER -e eth0 -p 53,123,161 10.1.1.11
  scan -sO -S $SCANNER -e eth0 -p 2,4,41,47,50,89,132 10.1.1.11
  scan -sS -S $SCANNER -e eth0 -g 20 -p 1024-1028 10.1.1.11         # as if it were an FTP data connection
  scan -sS -S $SCANNER -e eth0 --badsum -p 80,443 $WEB4
  scan -sS -S $SCANNER -e eth0 -f -p 80 $WEB4
  throw public --tcp --flags syn -p 80,445 --source-ip 10.1.1.12 $WEB4   # an inside address, from outside
  throw public --tcp --flags rst -g 80 -p 40000 10.1.1.11
  throw public --tcp --flags syn,ack -g 80 -p 40000 10.1.1.11
  throw public --udp -g 53 -p 33000 --data-length 40 10.1.1.11
  for kind in 0 3 4 5 8 11 13 17; do throw public --icmp --icmp-type $kind --icmp-code 0 10.1.1.11; done
  quiet run public ping -c 1 -W 1 -R $WEB4 || true                  # record route
  quiet run public ping -c 1 -W 1 -T tsonly $WEB4 || true           # timestamps
  path_to public -g 203.0.113.1 $WEB4 || true                       # loose source route

  # What no router would pass on comes from the provider's own.
  local raw=(--send-eth -e out0 --source-mac 02:00:00:02:00:fe --dest-mac 02:00:00:02:00:01)
  for kind in 127.0.0.1 0.0.0.0 169.254.1.1 224.0.0.1 240.0.0.1 255.255.255.255 203.0.113.1; do
    throw isp "${raw[@]}" --udp -p 7 --source-ip $kind 10.1.1.11
  done
  throw isp "${raw[@]}" --tcp --flags syn -g 80 -p 80 --source-ip $WEB4 $WEB4        # land
  throw isp "${raw[@]}" --icmp --source-ip $SCANNER 10.1.1.255                       # directed broadcast
  throw isp "${raw[@]}" --tcp --flags syn -p 80 --ttl 1 --source-ip $SCANNER $WEB4   # ends at the router
}

scenario_ipv6() { # the same office over IPv6 only
  set_resolver 2001:db8:51::53
  quiet run pc1 ping -c 2 -i 0.2 2001:db8:1::1
  quiet run pc1 ping -c 3 -i 0.2 2001:db8:51::80
  ask pc1 @2001:db8:51::53 www.example.net AAAA
  ask pc1 @2001:db8:51::53 nosuch.example.net AAAA
  load_page pc1 http://www.example.net -6
  load_page pc2 http://www.example.net -6 -H "Connection: close"
  run pc2 curl -sSfk -6 -o /dev/null https://www.example.net/photo2.jpg
  visit $VISITOR6 "http://[$WEB6]"
  ftp_transfers pc1 '[2001:db8:51::21]'                             # uploads meet the tunnel: packet too big
  ftp_transfers pc1 '[2001:db8:51::21]' --ftp-port -
  path_to pc2 -6 2001:db8:51::80
  quiet run pc2 ping -c 3 -i 0.2 -s 4000 2001:db8:51::80
  fails run pc1 curl -s -6 --max-time 3 'http://[2001:db8:51::80]:8080/'
  kill_download pc1 'http://[2001:db8:51::80]/live.mp4'
  scan -6 -sS -S $SCANNER6 -e eth0 -p 21-25,80,443 $WEB6 2001:db8:1::11
  scan -6 -sU -S $SCANNER6 -e eth0 -p 53,161 2001:db8:1::11
  quiet run public ping -c 1 -W 1 -I $SCANNER6 2001:db8:1::11
  set_resolver 198.51.100.53
}

scenario_transfer() { # long TCP transfers and their troubles; headers only
  run pc1 curl -sSf -o /dev/null http://198.51.100.80/film.mp4
  run pc1 curl -sSf -T "$WORK/archive.tar" ftp://198.51.100.21/incoming/     # path MTU discovery on the way
  rm -f "$WORK/ftp/incoming/archive.tar"
  lose 'tcp sport 80 numgen inc mod 40 == 7'                                 # data lost before the router
  run pc1 curl -sSf -o /dev/null http://198.51.100.80/film.mp4
  run pc2 curl -sSf -o /dev/null http://198.51.100.80/song.mp3
  find_again
  lose 'tcp dport 40000-40099 numgen inc mod 40 == 7'                        # and after it
  run pc1 curl -sSf -T "$WORK/archive.tar" ftp://198.51.100.21/incoming/
  rm -f "$WORK/ftp/incoming/archive.tar"
  find_again

  # A suspended client: its window closes, the server probes it, the window opens again.
  start pc2 curl -s -o /dev/null http://198.51.100.80/live.mp4
  local client=$STARTED
  sleep 1
  kill -STOP "$client"
  sleep 5
  kill -CONT "$client"
  sleep 2
  kill -KILL "$client"
  { wait "$client" || true; } 2>/dev/null   # the shell reports the death

  kill_download pc1 http://198.51.100.80/live.mp4
  fails run pc1 curl -s --max-time 8 http://$SILENT/
  # Two ends with nothing to say, and keep-alives.
  fails run pc1 curl -s --keepalive-time 1 --max-time 5 telnet://198.51.100.21:21
}

# ------------------------------------------------------------------------------------------------ main

check_tools
[ -d "$OUT" ] || die "no such folder: $OUT"
NAMES=("${@:2}")
[ ${#NAMES[@]} -gt 0 ] || NAMES=(office ftp fragments scan ipv6 transfer)
for name in "${NAMES[@]}"; do [ -n "${SNAPLEN[$name]-}" ] || die "no such capture: $name"; done
WORK=$(mktemp -d -t twinwall.XXXXXX)
readonly WORK
trap cleanup EXIT
trap 'exit 130' INT TERM
make_files
build
start_servers
sleep 2   # link-local addresses and listener reports are done before the first recording

for name in "${NAMES[@]}"; do
  record "$name"
  verify "$name"
done

total=0
for name in "${NAMES[@]}"; do
  total=$((total + $(stat -c %s "$WORK/$name.pcapng")))
done
[ "$total" -le "$TOTAL_BYTES_MAX" ] || die "$total bytes in all, more than $TOTAL_BYTES_MAX"
for name in "${NAMES[@]}"; do
  install -m 644 "$WORK/$name.pcapng" "$OUT/$name.pcapng"
  printf '%-18s %6d packets %8d bytes\n' "$name.pcapng" "$(count "$OUT/$name.pcapng" frame)" \
    "$(stat -c %s "$OUT/$name.pcapng")"
done
