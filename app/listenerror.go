package app

// ListenError means that a role could not listen on one of its addresses.
type ListenError struct {
	Key string // of the configuration: "http.listen"
	Err error
}

// Error returns the cause.
func (e *ListenError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }
