#!/bin/sh
# Two halves of the Linux kernel with a co-simulated board between them: curl in one network namespace fetches a file from a
# web server in another, through wire TAP, NIC, host link, `baton hostlink` and its TAP. First with the kernel's TCP at both ends; then the
# kernel of the server's side opens the connection and lets it go, and the NIC runs its TCP. In a network and a process
# namespace of its own, and everything ends with it.
#
# $1 board_on_taps, $2 baton, $3 firmware image, $4 a folder with file.bin
set -eu
board=$1 baton=$2 firmware=$3
cd "$4"

await() { # text, file
    for _ in $(seq 1 480); do
        grep -q "$1" "$2" && return
        sleep 0.5
    done
    echo "no \"$1\" in $2 after four minutes:"
    cat "$2"
    exit 1
}
attach() { # log, arguments
    log=$1
    shift
    # The simulation is slower than a board, so the link's patience is greater. With a core clock that is said to be about as slow as the
    # simulation, the firmware's timers keep the kernel's time.
    "$baton" hostlink --interface link0 --tap baton0 --address 192.0.2.1/24 --retry-us 1000000 --core-mhz 1 --wait 100 "$@" \
        > "$log.json" 2> "$log" &
    adapter=$!
    await "Ctrl-C" "$log"
}
fetch() { # port, file
    if ! $in_far curl --silent --show-error --max-time 90 --output "$2" "http://192.0.2.1:$1/file.bin"; then
        echo "what both sides know:"
        ip -s address show dev baton0
        $in_far ip -s address show dev wire0
        ip neighbour
        $in_far ip neighbour
        exit 1
    fi
    cmp file.bin "$2"
}

ip link set lo up
sysctl -qw net.ipv6.conf.default.disable_ipv6=1
"$board" wire0 link0 900 > board.log 2>&1 &
await ready board.log
unshare --net sleep 900 &
far=$!
sleep 0.5
ip link set wire0 netns "$far"
in_far="nsenter --target $far --net"
$in_far sysctl -qw net.ipv6.conf.all.disable_ipv6=1
$in_far ip address add 192.0.2.2/24 dev wire0
$in_far ip link set wire0 up
ip link set link0 up
python3 -m http.server 80 > server.log 2>&1 &

attach link.log
sleep 2
fetch 80 fetched.bin
tail -n 1 link.log
kill "$adapter"
wait "$adapter"

attach offload.log --offload 8080=127.0.0.1:80 --hiwat 24 --lowat 12 --shed-ms 1000 --firmware "$firmware"
fetch 8080 first.bin
# Two at once, of which the NIC may have both.
fetch 8080 second.bin &
other=$!
fetch 8080 third.bin
wait "$other"
# One that never was on the wire, and so stays with the kernel.
curl --silent --show-error --max-time 20 --output near.bin http://192.0.2.1:8080/file.bin
cmp file.bin near.bin
await "on the NIC 0; bytes in [1-9][0-9]*, out 6[0-9]*" offload.log
tail -n 2 offload.log
# One that stays until the adapter goes, which resets it.
$in_far python3 -c 'import socket
try: socket.create_connection(("192.0.2.1", 8080)).recv(1)
except ConnectionResetError: print("reset")' > idle.log 2>&1 &
idle=$!
# The log has lines with one connection on the NIC from before; only this one is the fourth.
await "handed off 4, refused 0, back 3, on the NIC 1;" offload.log
kill "$adapter"
wait "$adapter"
wait "$idle" || {
    cat idle.log
    exit 1
}
cat idle.log
python3 -c 'import json; print(json.load(open("offload.log.json"))["offload"])'
