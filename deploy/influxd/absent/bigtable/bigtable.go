// Package bigtable stands in for the client of Google Cloud Bigtable, which Flux imports for its function
// bigtable.from. Nobody uses that function here, and the client brings in gRPC and some fifty modules, old ones with
// known vulnerabilities. The function returns an error.
package bigtable

import (
	"context"
	"errors"
	"time"
)

// ErrAbsent is the error of every request.
var ErrAbsent = errors.New("bigtable.from is not part of this build")

// The types of the client that Flux names.
type (
	// RowSet is a set of rows.
	RowSet any
	// Filter is a filter of cells.
	Filter any
	// ReadOption is an option of ReadRows.
	ReadOption any
	// Row is a row, by column family.
	Row map[string][]ReadItem
	// Timestamp is the time of a cell in microseconds.
	Timestamp int64
	// ReadItem is a cell.
	ReadItem struct {
		Row, Column string
		Timestamp   Timestamp
		Value       []byte
	}
	// Client is a client.
	Client struct{}
	// Table is a table.
	Table struct{}
)

// Time returns the time of a timestamp.
func (t Timestamp) Time() time.Time { return time.UnixMicro(int64(t)) }

// NewClient returns ErrAbsent.
func NewClient(context.Context, string, string, ...any) (*Client, error) { return nil, ErrAbsent }

// Open returns a table.
func (*Client) Open(string) *Table { return &Table{} }

// Close does nothing.
func (*Client) Close() error { return nil }

// ReadRows returns ErrAbsent.
func (*Table) ReadRows(context.Context, RowSet, func(Row) bool, ...ReadOption) error {
	return ErrAbsent
}

// SingleRow returns no rows.
func SingleRow(string) RowSet { return nil }

// InfiniteRange returns no rows.
func InfiniteRange(string) RowSet { return nil }

// NewRange returns no rows.
func NewRange(_, _ string) RowSet { return nil }

// PrefixRange returns no rows.
func PrefixRange(string) RowSet { return nil }

// ChainFilters returns no filter.
func ChainFilters(...Filter) Filter { return nil }

// FamilyFilter returns no filter.
func FamilyFilter(string) Filter { return nil }

// TimestampRangeFilter returns no filter.
func TimestampRangeFilter(_, _ time.Time) Filter { return nil }

// PassAllFilter returns no filter.
func PassAllFilter() Filter { return nil }

// RowFilter returns no option.
func RowFilter(Filter) ReadOption { return nil }

// LimitRows returns no option.
func LimitRows(int64) ReadOption { return nil }
