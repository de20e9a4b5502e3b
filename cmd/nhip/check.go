package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"nhip/app"
	"nhip/internal/config"
)

// checkCmd is nhip check.
type checkCmd struct {
	settingFlags

	JSON    bool   `name:"json" help:"Print only whether the timetable is usable and its findings, as JSON."`
	DataDir string `help:"${help_fleet_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	File    string `arg:"" optional:"" help:"Configuration file (YAML); default: only the defaults and the environment."`
}

// Run prints the effective configuration, or every fault that would keep nhip from starting.
func (c *checkCmd) Run(e *env) error {
	set := app.LoadConfig(config.Sources{Path: c.File, Environ: os.Environ(), Flags: c.flags()})
	report, err := app.CheckConfig(set, c.DataDir)
	if c.JSON {
		if wrong := json.NewEncoder(e.stdout).Encode(report); wrong != nil {
			return wrong
		}
	} else {
		printFindings(e.stderr, report)
	}
	if err != nil {
		if !c.JSON || report.Usable {
			fmt.Fprintln(e.stderr, err)
		}
		return errFaulty
	}
	if c.JSON {
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	for _, s := range set.Entries() {
		fmt.Fprintf(w, "%s = %s\t(%s)\n", s.Key, s.Value, s.Origin)
	}
	return w.Flush()
}

// printFindings prints the flaws of the timetables, each on a line for editors.
func printFindings(w io.Writer, report app.TimetableReport) {
	for _, f := range report.Findings {
		if report.Usable || f.File != "" {
			fmt.Fprintln(w, f)
		}
	}
	if report.Unlisted > 0 {
		fmt.Fprintf(w, "and %d more\n", report.Unlisted)
	}
}
