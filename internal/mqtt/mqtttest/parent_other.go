//go:build !linux

package mqtttest

import "syscall"

// withParent leaves a child to the test's clean-up: only Linux ends it with a parent that is killed.
func withParent() *syscall.SysProcAttr { return nil }
