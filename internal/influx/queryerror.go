package influx

import (
	"encoding/json"
	"errors"

	"nhip"
)

// errStalled ends a query whose result stops arriving.
var errStalled = errors.New("the query result stalled")

// failedError is InfluxDB's error for a statement that it has begun to execute, which comes with status 200, possibly
// after some rows.
type failedError struct{ message string }

// Error returns InfluxDB's message.
func (e *failedError) Error() string { return e.message }

// errorText returns the message of an error response, which is JSON, MessagePack or, of a proxy, anything.
func errorText(body []byte) string {
	var answer struct {
		Error   string `json:"error"`
		Message string `json:"message"` // of 2.x
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error+answer.Message != "" {
		return answer.Error + answer.Message
	}
	if text, ok := msgpackError(body); ok {
		return text
	}
	return "the response is not InfluxDB's"
}

// errSchema returns the error for a row that does not match the schema.
func errSchema(measurement, what string) error {
	return nhip.Errorf(nhip.CodeInternal, "", "a row of %s in InfluxDB does not match the schema: %s", measurement, what)
}
