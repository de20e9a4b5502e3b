package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// jsonPart is one part of a response in JSON. InfluxDB 1.8 and 2.x mark all parts but the last as partial; InfluxDB 3
// marks none, so that only the end of the response shows which one is the last.
type jsonPart struct {
	Error   string `json:"error"`
	Results []struct {
		Error   string       `json:"error"`
		Partial bool         `json:"partial"`
		Series  []jsonSeries `json:"series"`
	} `json:"results"`
}

// jsonSeries has the rows of one combination of tags.
type jsonSeries struct {
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// readJSON calls yield for each row of a response of an InfluxDB that does not have MessagePack.
func readJSON(body io.Reader, s *Selection, yield func(*Row) error) error {
	parts := json.NewDecoder(body)
	parts.UseNumber()
	row := &Row{Values: make([]Value, len(s.Columns)), Tags: make([]string, len(s.GroupBy))}
	for complete := false; ; {
		var part jsonPart
		if err := parts.Decode(&part); errors.Is(err, io.EOF) && complete {
			return nil
		} else if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return notInfluxDB(err)
		}
		if part.Error != "" {
			return &failedError{part.Error}
		}
		complete = true
		for i := range part.Results {
			r := &part.Results[i]
			if r.Error != "" {
				return &failedError{r.Error}
			}
			complete = complete && !r.Partial
			for j := range r.Series {
				if err := r.Series[j].rows(s, row, yield); err != nil {
					return err
				}
			}
		}
	}
}

// notInfluxDB returns the error for a response that is not JSON, as of a proxy; other errors unchanged.
func notInfluxDB(err error) error {
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &mistyped) {
		return &failedError{"the response is not InfluxDB's"}
	}
	return err
}

func (j *jsonSeries) rows(s *Selection, row *Row, yield func(*Row) error) error {
	for i, tag := range s.GroupBy {
		row.Tags[i] = j.Tags[tag]
	}
	for _, values := range j.Values {
		if len(values) != 1+len(s.Columns) {
			return errSchema(s.Measurement, fmt.Sprint(len(values), " values"))
		}
		at, err := jsonValue(values[0])
		if err != nil || at.kind != intValue {
			return errSchema(s.Measurement, "no time")
		}
		row.Time = int64(at.bits)
		for i := range row.Values {
			if row.Values[i], err = jsonValue(values[1+i]); err != nil {
				return errSchema(s.Measurement, err.Error())
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// jsonValue returns a value. A number without a fraction or an exponent is an integer, which Row.Float accepts, too.
func jsonValue(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Value{}, nil
	case bool:
		return BoolValue(v), nil
	case string:
		return TextValue(v), nil
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			n, err := v.Int64()
			if err == nil {
				return IntValue(n), nil
			}
		}
		f, err := v.Float64()
		return FloatValue(f), err
	}
	return Value{}, fmt.Errorf("unexpected value %v", v)
}
