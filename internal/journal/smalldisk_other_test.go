//go:build !linux

package journal

// childRoles are what a child may be.
func childRoles() map[string]func(dir string) error {
	return map[string]func(string) error{"appender": appendUntilKilled}
}
