#!/bin/sh
# Two halves of the Linux kernel with a co-simulated board between them: curl in one network namespace fetches a file from a
# web server in another, through wire TAP, NIC, host link, `baton hostlink` and its TAP. Runs in a network and a process
# namespace of its own, and everything ends with it.
#
# $1 board_on_taps, $2 baton, $3 a folder with file.bin
set -eu
cd "$3"

await() { # text, file
    for _ in $(seq 1 240); do
        grep -q "$1" "$2" && return
        sleep 0.5
    done
    echo "no \"$1\" in $2 after two minutes:"
    cat "$2"
    exit 1
}

ip link set lo up
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
"$1" wire0 link0 600 > board.log 2>&1 &
await ready board.log
unshare --net sleep 600 &
far=$!
sleep 0.5
ip link set wire0 netns "$far"
in_far="nsenter --target $far --net"
$in_far sysctl -qw net.ipv6.conf.all.disable_ipv6=1
$in_far ip address add 192.0.2.2/24 dev wire0
$in_far ip link set wire0 up
ip link set link0 up
# The simulation is slower than a board, so the link's patience is greater.
"$2" hostlink --interface link0 --tap baton0 --address 192.0.2.1/24 --retry-us 1000000 --core-mhz 100 --wait 100 > link.log 2>&1 &
await "Ctrl-C" link.log
python3 -m http.server 80 > server.log 2>&1 &
sleep 2
$in_far curl --silent --show-error --max-time 200 --output fetched.bin http://192.0.2.1/file.bin
cmp file.bin fetched.bin
tail -n 1 link.log
