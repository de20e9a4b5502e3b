//go:build !unix

package broker

// rawReader exists on Unix only.
type rawReader struct{}

func newRawReader(any) *rawReader { return nil }

// wait is not called, because there is no rawReader.
func (*rawReader) wait() (*buffer, error) { return nil, nil }
