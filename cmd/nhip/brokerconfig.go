package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"nhip/internal/brokerconf"
	"nhip/internal/durable"
	"nhip/internal/fleet"
)

// brokerConfigCmd is nhip broker-config.
type brokerConfigCmd struct {
	fleetFlags

	Broker string `arg:"" enum:"mosquitto,emqx" help:"mosquitto or emqx."`
	Out    string `help:"Folder that receives the files." default:"." type:"existingdir"`
}

// Run writes the broker's files.
func (c *brokerConfigCmd) Run(e *env) error {
	feeds, path, err := c.open()
	if err != nil {
		return err
	}
	f, err := fleet.Load(path, feeds)
	if err != nil {
		return printFaults(e, err)
	}
	write := brokerconf.Mosquitto
	if c.Broker == "emqx" {
		write = brokerconf.EMQX
	}
	files, without := write(f, feeds)
	for _, file := range files {
		to := filepath.Join(c.Out, file.Name)
		if err := durable.WriteFile(to, []byte(file.Text)); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, to)
	}
	if len(without) > 0 {
		fmt.Fprintf(e.stderr, "these devices have no secret that this broker can check: %s; see docs/brokers.md\n",
			strings.Join(without, ", "))
	}
	return nil
}
