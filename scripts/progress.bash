# Sourced by the scripts that install and build: they show a line of progress, and what the tools print goes to a log.

# logged TITLE LOG COMMAND...
#
# Runs the command with its output in LOG. On a terminal, one line shows the title, the seconds and ninja's [12/40]; elsewhere
# only what fails is shown. When the command fails, the end of the log and its path are printed, and its status is returned.
logged() {
    local title=$1 log=$2 start=$SECONDS pid status=0 step
    shift 2
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 &
    pid=$!
    if [ -t 2 ]; then
        while kill -0 "$pid" 2>/dev/null; do
            step=$(tail -c 2000 "$log" | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
            printf '\r\033[K%s %s %d s' "$title" "$step" $((SECONDS - start)) >&2
            sleep 0.5
        done
        printf '\r\033[K' >&2
    fi
    wait "$pid" || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 30 "$log" >&2
        printf '\n%s failed. The whole output is in %s\n' "$title" "$log" >&2
        return "$status"
    fi
    if [ $((SECONDS - start)) -ge 5 ]; then
        printf '%s: done in %d s\n' "$title" $((SECONDS - start)) >&2
    fi
}
