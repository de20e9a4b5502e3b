// Package descriptors divides the file descriptors that the process may open, so that clients can't take those of the
// journal and the database.
package descriptors

import "golang.org/x/sys/unix"

// reservedFiles are the descriptors of journals, the ledger, the database's connections, certificates and logs. A
// busy nhip up has 120 open.
const reservedFiles = 256

// unknownLimit is assumed where the system tells no limit.
const unknownLimit = 1 << 20

// Limit returns how many descriptors the process may open (RLIMIT_NOFILE). Go has raised the limit to the largest
// that the system allows.
func Limit() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil || l.Cur > unknownLimit {
		return unknownLimit
	}
	return int(l.Cur)
}

// ForClients returns how many of limit descriptors the connections of each of some kinds of clients may take. The rest,
// at least a third of a small limit, is for files.
func ForClients(limit, kinds int) int {
	return max(1, (limit-min(reservedFiles, limit/3))/kinds)
}

// Clamp returns how many connections of one kind of clients may be open: as many as configured (0: no limit), and not
// more than there are descriptors for, which all kinds share evenly.
func Clamp(configured, kinds int) int {
	most := ForClients(Limit(), kinds)
	if configured <= 0 || configured > most {
		return most
	}
	return configured
}
