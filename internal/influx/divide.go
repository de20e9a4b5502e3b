package influx

import (
	"bytes"
	"context"
	"errors"
)

// divideRequests bounds the requests of WriteDivided.
const divideRequests = 64

// WriteDivided writes lines with as many calls of write as it takes to keep refused rows from others: it divides what
// is refused, at most divideRequests times. It is for rows that can be computed again; what may not be lost needs dead
// letters. It returns the number of refused rows and InfluxDB's first reason. err is an error after which nothing is
// known of the rest; writing all lines again is harmless.
func WriteDivided(
	ctx context.Context, lines []byte, write func(context.Context, []byte) error,
) (refused int, reason *WriteError, err error) {
	pending := [][]byte{lines}
	for requests := 0; len(pending) > 0; requests++ {
		part := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		err := write(ctx, part)
		if err == nil {
			continue
		}
		var refusal *WriteError
		if !errors.As(err, &refusal) || refusal.Kind == Retry {
			return refused, reason, err
		}
		if reason == nil {
			reason = refusal
		}
		rows := bytes.Count(part, []byte{'\n'})
		if rows <= 1 || refusal.Dropped == rows || requests >= divideRequests {
			refused += rows
			continue
		}
		middle := half(part)
		pending = append(pending, part[middle:], part[:middle])
	}
	return refused, reason, nil
}

// half returns the length of the first lines of at least two, about half of them.
func half(lines []byte) int {
	if at := bytes.IndexByte(lines[len(lines)/2:], '\n') + len(lines)/2 + 1; at < len(lines) {
		return at
	}
	return bytes.LastIndexByte(lines[:len(lines)-1], '\n') + 1
}
