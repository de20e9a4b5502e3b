package mqtttest

import "syscall"

// withParent makes a child end with the test process that started it, also when that is killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
