package qc

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func testdata(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no test vectors")
	}
	return filepath.Join(dir, "air")
}

func load(t *testing.T, name string, into any, unmarshal func([]byte, any) error) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdata(t), "qc_vectors", name))
	if err == nil {
		err = unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpikeOverMeanMatchesQARTOD(t *testing.T) {
	var vectors struct {
		Suspect, Fail float64
		Cases         []struct {
			Values   []float64
			Expected []nhip.Flag
		}
	}
	load(t, "qartod_spike.json", &vectors, json.Unmarshal)
	for _, c := range vectors.Cases {
		if got := SpikeOverMean(c.Values, vectors.Suspect, vectors.Fail); !cmp.Equal(got, c.Expected) {
			t.Errorf("%v: %s", c.Values, cmp.Diff(c.Expected, got))
		}
	}
}

func TestFlatLineMatchesQARTOD(t *testing.T) {
	var v struct {
		Step      int     `json:"step_minutes"`
		Suspect   float64 `json:"suspect_threshold_s"`
		Fail      float64 `json:"fail_threshold_s"`
		Tolerance float64
		Values    []float64
		Expected  []nhip.Flag
	}
	load(t, "qartod_flat_line.json", &v, json.Unmarshal)
	s := steady(nhip.Temperature, time.Duration(v.Step)*time.Minute, v.Values...)
	l := Disabled()
	l.Suspect, l.Fail, l.Tolerance = v.Suspect/3600, v.Fail/3600, v.Tolerance
	f := flatStretch{tolerance: l.Tolerance}
	for i, want := range v.Expected {
		// QARTOD looks back only: it flags the end of a flat line.
		if got := l.flatLine(&s, f.since(&s, i), i); got != want {
			t.Errorf("value %d is %d, want %d", i, got, want)
		}
	}
}

// titanlib is the content of one file of titanlib test vectors.
type titanlib []struct {
	Dataset struct {
		Lats, Lons, Elevs, Lafs, Values []float64
	}
	Base  titanArgs `yaml:"base_args"`
	Tests []struct {
		Args     map[string]any
		Expected []int
	}
}

type titanArgs = map[string]any

// titan runs a function on all vectors of a file.
func titan(t *testing.T, name string, run func(sites []Site, values []float64, args titanArgs) []bool) {
	t.Helper()
	var all titanlib
	load(t, name, &all, yaml.Unmarshal)
	n := 0
	for _, c := range all {
		sites := make([]Site, len(c.Dataset.Lats))
		for i := range sites {
			sites[i] = Site{c.Dataset.Lats[i], c.Dataset.Lons[i], c.Dataset.Elevs[i]}
		}
		for _, test := range c.Tests {
			args := make(titanArgs)
			for k, v := range c.Base {
				args[k] = v
			}
			for k, v := range test.Args {
				args[k] = v
			}
			args["lafs"] = c.Dataset.Lafs
			got := run(sites, c.Dataset.Values, args)
			for i, want := range test.Expected {
				if got[i] != (want == 1) {
					t.Errorf("%v: site %d is %t", args, i, got[i])
				}
			}
			n++
		}
	}
	if n == 0 {
		t.Error("no vectors")
	}
}

// argument returns a numeric argument, which may be a list of one; unset if it is missing.
func argument(args titanArgs, name string) float64 {
	v := args[name]
	if list, ok := v.([]any); ok {
		v = list[0]
	}
	switch v := v.(type) {
	case float64:
		return v
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	}
	return unset
}

func TestBuddyCheckMatchesTitanlib(t *testing.T) {
	titan(t, "titanlib_buddy_check.yml", func(sites []Site, values []float64, args titanArgs) []bool {
		b := BuddyCheck{
			Radius: argument(args, "radius"), MinNeighbours: int(argument(args, "num_min")),
			Threshold:    argument(args, "threshold"),
			MinDeviation: argument(args, "min_std"), Iterations: int(argument(args, "num_iterations")),
		}
		return b.Flag(sites, values)
	})
}

func TestIsolatedMatchesTitanlib(t *testing.T) {
	titan(t, "titanlib_isolation_check.yml", func(sites []Site, _ []float64, args titanArgs) []bool {
		return Isolated(sites, int(argument(args, "num_min")), argument(args, "radius"), argument(args, "vertical_radius"))
	})
}

func TestDuplicatesMatchTitanlib(t *testing.T) {
	titan(t, "titanlib_duplicate_check.yml", func(sites []Site, _ []float64, args titanArgs) []bool {
		return Duplicates(sites, argument(args, "radius"), argument(args, "vertical_range"))
	})
}

// The metadata check of titanlib has no counterpart here, because the reader of the fleet file rejects stations
// without coordinates. This test only checks that NaN marks unknown values.
func TestMetadataMatchesTitanlib(t *testing.T) {
	titan(t, "titanlib_metadata_check.yml", func(sites []Site, _ []float64, args titanArgs) []bool {
		enabled := func(name string) bool { on, set := args[name].(bool); return on || !set }
		lafs := args["lafs"].([]float64)
		out := make([]bool, len(sites))
		for i, s := range sites {
			out[i] = enabled("check_lat") && math.IsNaN(s.Lat) || enabled("check_lon") && math.IsNaN(s.Lon) ||
				enabled("check_elev") && math.IsNaN(s.Elevation) || enabled("check_laf") && math.IsNaN(lafs[i])
		}
		return out
	})
}

func TestGrossRangeMatchesTitanlib(t *testing.T) {
	titan(t, "titanlib_range_check.yml", func(sites []Site, values []float64, args titanArgs) []bool {
		bound := func(name string, i int) float64 {
			list := args[name].([]any)
			return argument(titanArgs{"": list[min(i, len(list)-1)]}, "")
		}
		out := make([]bool, len(sites))
		for i, v := range values {
			l := Disabled()
			l.Low, l.High = bound("min", i), bound("max", i)
			out[i] = math.IsNaN(v) || l.outside(v) == nhip.FlagFail // NaN values never reach the range check
		}
		return out
	})
}
