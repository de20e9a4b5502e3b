package main

import (
	"fmt"

	"nhip/app"
	"nhip/internal/config"
)

// gatewayCmd is nhip gateway.
type gatewayCmd struct {
	Upstream string `help:"Broker to forward messages to, as in tcp://10.0.0.5:1883 (broker.url)." placeholder:"URL"`
	MQTT     string `help:"${help_gateway_mqtt}" placeholder:"HOST:PORT"`
	Push     string `help:"${help_gateway_push}" placeholder:"HOST:PORT"`
	Health   string `help:"${help_health}" placeholder:"HOST:PORT"`
	DataDir  string `help:"${help_data_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"${help_config}" type:"path" placeholder:"FILE"`
}

func (c *gatewayCmd) flags() []config.Flag {
	return []config.Flag{
		{Name: "--upstream", Key: "broker.url", Value: c.Upstream},
		{Name: "--mqtt", Key: "mqtt.listen", Value: c.MQTT},
		{Name: "--push", Key: "push.listen", Value: c.Push},
		{Name: "--health", Key: "health.listen", Value: c.Health},
	}
}

// Run runs a gateway.
func (c *gatewayCmd) Run(e *env) error {
	o, err := e.roleOptions(c.Config, c.DataDir, "", c.flags())
	if err != nil {
		return err
	}
	return e.serve(app.Gateway(o), c.flags(), func(a app.Addresses) string {
		return fmt.Sprintf("ready mqtt=%s push=%s health=%s upstream=%s", a.MQTT, a.Push, a.Health, a.Broker)
	})
}

// sharedFlags name the broker and the database that a collector and an api share.
type sharedFlags struct {
	Broker    string `help:"MQTT broker that the roles share (broker.url)." placeholder:"URL"`
	InfluxURL string `help:"${help_influx_url}" placeholder:"URL"`
}

func (f *sharedFlags) flags() []config.Flag {
	return []config.Flag{
		{Name: "--broker", Key: "broker.url", Value: f.Broker},
		{Name: "--influx-url", Key: "influx.url", Value: f.InfluxURL},
	}
}

// collectorCmd is nhip collector.
type collectorCmd struct {
	sharedFlags

	Health   string `help:"${help_health}" placeholder:"HOST:PORT"`
	GTFS     string `help:"${help_collector_gtfs}" placeholder:"ZIP"`
	ID       string `help:"Collector name; must be unique per collector (collector.id)." placeholder:"ID"`
	DataDir  string `help:"${help_data_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"${help_config}" type:"path" placeholder:"FILE"`
	Clock    string `help:"${help_clock}" placeholder:"T[*N]"`
	Simulate bool   `help:"Accept simulated facts, too, on a data folder of their own."`
}

func (c *collectorCmd) flags() []config.Flag {
	return append(c.sharedFlags.flags(),
		config.Flag{Name: "--health", Key: "health.listen", Value: c.Health},
		config.Flag{Name: "--gtfs", Key: "gtfs", Value: c.GTFS},
		config.Flag{Name: "--id", Key: "collector.id", Value: c.ID})
}

// Run runs a collector.
func (c *collectorCmd) Run(e *env) error {
	o, err := e.roleOptions(c.Config, c.DataDir, c.Clock, c.flags())
	if err != nil {
		return err
	}
	o.Simulate = c.Simulate
	return e.serve(app.Collector(o), c.flags(), func(a app.Addresses) string {
		return fmt.Sprintf("ready health=%s broker=%s influx=%s", a.Health, a.Broker, a.Influx)
	})
}

// apiCmd is nhip api.
type apiCmd struct {
	sharedFlags

	HTTP     string `help:"Address of the API and the map; port 0 picks a free one (http.listen)." placeholder:"HOST:PORT"`
	GTFS     string `help:"${help_api_gtfs}" placeholder:"ZIP"`
	DataDir  string `help:"${help_api_data_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"${help_config}" type:"path" placeholder:"FILE"`
	Clock    string `help:"${help_api_clock}" placeholder:"T[*N]"`
	Simulate bool   `help:"Mark the city on the map as simulated."`
}

func (c *apiCmd) flags() []config.Flag {
	return append(c.sharedFlags.flags(),
		config.Flag{Name: "--http", Key: "http.listen", Value: c.HTTP},
		config.Flag{Name: "--gtfs", Key: "gtfs", Value: c.GTFS})
}

// Run runs an api.
func (c *apiCmd) Run(e *env) error {
	o, err := e.roleOptions(c.Config, c.DataDir, c.Clock, c.flags())
	if err != nil {
		return err
	}
	o.Simulate = c.Simulate
	return e.serve(app.API(o), c.flags(), func(a app.Addresses) string {
		return fmt.Sprintf("ready http=%s broker=%s influx=%s\nmap   %s/", a.HTTP, a.Broker, a.Influx, a.HTTP)
	})
}
