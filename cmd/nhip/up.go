package main

import (
	"fmt"
	"time"

	"nhip/app"
	"nhip/internal/config"
	"nhip/internal/sim"
)

// upCmd is nhip up.
type upCmd struct {
	settingFlags

	DataDir  string `help:"${help_data_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"${help_config}" type:"path" placeholder:"FILE"`
	Influxd  string `help:"Program of the embedded InfluxDB; default: influxd beside nhip." type:"path" placeholder:"FILE"`
	Clock    string `help:"${help_clock}" placeholder:"T[*N]"`
	Simulate bool   `help:"Simulate a city, on a data folder of its own."`
	Buses    int    `help:"Number of buses to simulate." default:"${sim_buses}"`

	Past time.Duration `help:"Simulated past of a new data folder; 0s for none." default:"48h"`
}

// Run runs all roles.
func (c *upCmd) Run(e *env) error {
	o, err := e.roleOptions(c.Config, c.DataDir, c.Clock, c.flags())
	if err != nil {
		return err
	}
	o.Simulate, o.Buses, o.Past, o.Influxd = c.Simulate, c.Buses, c.Past, c.Influxd
	if o.Buses == 0 {
		o.Buses = sim.None
	}
	return e.serve(app.Up(o), c.flags(), func(a app.Addresses) string {
		public := ""
		for _, l := range []struct{ name, url string }{
			{"public", a.Public}, {"public_mqtt", a.PublicMQTT}, {"public_mqtts", a.PublicMQTTS},
		} {
			if l.url != "" {
				public += " " + l.name + "=" + l.url
			}
		}
		signIn := ""
		for _, link := range a.SignIn {
			signIn += fmt.Sprintf("\nsign in once as %-10s %s", link.Role, link.URL)
		}
		for _, link := range a.Try {
			signIn += fmt.Sprintf("\ntry: %-42s %s", link.Text, link.URL)
		}
		return fmt.Sprintf("ready http=%s mqtt=%s influx=%s%s\nmap   %s/%s", a.HTTP, a.MQTT, a.Influx, public, a.HTTP, signIn)
	})
}

// settingFlags are the flags of nhip up that set keys of the configuration.
type settingFlags struct {
	HTTP      string `help:"Address of the API and the map; port 0 picks a free one." placeholder:"HOST:PORT"`
	MQTT      string `help:"Address of the embedded broker; port 0 picks a free one." placeholder:"HOST:PORT"`
	Fleet     string `help:"${help_fleet}" type:"path" placeholder:"FILE"`
	GTFS      string `help:"${help_up_gtfs}" placeholder:"ZIP"`
	InfluxURL string `help:"${help_up_influx_url}" placeholder:"URL"`
}

func (f *settingFlags) flags() []config.Flag {
	return []config.Flag{
		{Name: "--http", Key: "http.listen", Value: f.HTTP},
		{Name: "--mqtt", Key: "mqtt.listen", Value: f.MQTT},
		{Name: "--fleet", Key: "fleet", Value: f.Fleet},
		{Name: "--gtfs", Key: "gtfs", Value: f.GTFS},
		{Name: "--influx-url", Key: "influx.url", Value: f.InfluxURL},
	}
}
