// A control for programs that are about something else.
control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = meta.b;
    }
}
