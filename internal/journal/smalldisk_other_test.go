//go:build !linux

package journal

// childRoles returns the roles of child processes.
func childRoles() map[string]func(dir string) error {
	return map[string]func(string) error{"appender": appendUntilKilled}
}
