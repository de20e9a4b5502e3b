package journal

import (
	"errors"
	"fmt"
)

// Errors to check with errors.Is. ErrFull is in ErrBound and in every error of a full disk: it distinguishes "retry
// later" from a broken journal or disk.
var (
	ErrFull   = errors.New("no space left in the journal")
	ErrBound  = fmt.Errorf("%w: MaxBytes reached", ErrFull)
	ErrClosed = errors.New("journal is closed")
	ErrLocked = errors.New("journal is already open, in this process or another")
	ErrTooBig = errors.New("record is too big")
)
