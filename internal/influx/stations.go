package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// maxStationList bounds the list of stations, in bytes: a million of them.
const maxStationList = 64 << 20

// Stations returns the ids of all stations that have readings or roll-ups, each at least once. InfluxDB answers from
// its index. Errors are those of Readings.
func (db *DB) Stations(ctx context.Context) ([]string, error) {
	began := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, db.opts.Timeout, errStalled)
	defer cancel()
	ids, err := db.stations(limited)
	if err != nil {
		db.metrics.observe("stations", "error", time.Since(began))
		return nil, db.explainQuery(ctx, limited, err)
	}
	db.metrics.observe("stations", "ok", time.Since(began))
	return ids, nil
}

func (db *DB) stations(ctx context.Context) ([]string, error) {
	form := db.dialect.influxQL()
	form.Set("q", fmt.Sprintf("SHOW TAG VALUES FROM %s, %s WITH KEY = %s", quoteInfluxQL(ReadingMeasurement),
		quoteInfluxQL(RollupMeasurement), quoteInfluxQL(colStation)))
	resp, err := db.postInfluxQL(ctx, form, jsonType)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Results []struct {
			Error  string `json:"error"`
			Series []struct {
				Values [][2]string `json:"values"` // key and value
			} `json:"series"`
		} `json:"results"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxStationList)).Decode(&answer); err != nil {
		return nil, err
	}
	var ids []string
	for _, r := range answer.Results {
		if r.Error != "" {
			return nil, &failedError{r.Error}
		}
		for _, s := range r.Series {
			for _, pair := range s.Values {
				ids = append(ids, tagText(pair[1]))
			}
		}
	}
	return ids, nil
}
