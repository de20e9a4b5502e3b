package tides

import (
	"bytes"

	"nhip/api/rest"

	"github.com/parquet-go/parquet-go"
)

// CSVOfParquet returns the rows of a table in Parquet as CSV.
func CSVOfParquet(table string, raw []byte) (string, error) {
	switch table {
	case tableLocations:
		return csvOf[locationRow](raw)
	case tableVisits:
		return csvOf[visitRow](raw)
	}
	return csvOf[tripRow](raw)
}

func csvOf[T any, R row[T]](raw []byte) (string, error) {
	rows, err := parquet.Read[T](bytes.NewReader(raw), int64(len(raw)))
	var out []byte
	for i := range rows {
		c := rest.NewCSVRow(out)
		R(&rows[i]).cells(c)
		out = c.End()
	}
	return string(out), err
}
