//go:build !linux

package mqtttest

import "syscall"

// withParent does nothing: only Linux can end a child whose parent is killed. The test's cleanup ends it otherwise.
func withParent() *syscall.SysProcAttr { return nil }
