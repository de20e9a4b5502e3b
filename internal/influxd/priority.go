package influxd

import (
	"log/slog"

	"golang.org/x/sys/unix"
)

// niceness is how much lower the priority of the program is than that of this process. Queries of the history must
// not take the processors from the messages of devices, which wait on disk for the database anyway.
const niceness = 5

// yieldTo lowers the priority of a program that was just started, with all its threads: it leads its process group.
func yieldTo(pid int, log *slog.Logger) {
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err == nil {
		const linuxOffset = 20 // the system call returns 20 - nice
		err = unix.Setpriority(unix.PRIO_PGRP, pid, min(linuxOffset-own+niceness, 19))
	}
	if err != nil {
		log.Debug("the priority of the embedded InfluxDB stays", "error", err)
	}
}
