package mqtttest

import "syscall"

// withParent ends a child with the test that started it, also when that is killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
