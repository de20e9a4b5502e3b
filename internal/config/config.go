// Package config reads the configuration file. What it does not know is an error with line and
// column; what is not set has the default written here.
package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Config is everything that can be set. Zero durations and empty texts are "not set".
type Config struct {
	HTTP   HTTP   `yaml:"http"`
	MQTT   MQTT   `yaml:"mqtt"`
	Influx Influx `yaml:"influx"`
	Feeds  []Feed `yaml:"feeds"`
	GTFS   string `yaml:"gtfs"` // path of a GTFS zip
	Map    Map    `yaml:"map"`
}

// HTTP is the api's door.
type HTTP struct {
	Listen    string `yaml:"listen"`     // host:port
	PublicURL string `yaml:"public_url"` // how the outside reaches it
}

// MQTT is the embedded broker's door.
type MQTT struct {
	Listen string `yaml:"listen"` // host:port
}

// Influx is where the history is kept; without a URL the embedded InfluxDB runs as a child.
type Influx struct {
	URL    string `yaml:"url"`
	Token  string `yaml:"token"`
	Org    string `yaml:"org"`
	Bucket string `yaml:"bucket"`
}

// Feed maps topics to a decoder.
type Feed struct {
	Topic   string   `yaml:"topic"`   // MQTT filter
	Format  string   `yaml:"format"`  // name of the decoder
	Agency  string   `yaml:"agency"`  // whose buses
	Latency Duration `yaml:"latency"` // how late the feed may pass facts on
}

// Duration is a span of time, written as in "90s" or "2m".
type Duration time.Duration

// UnmarshalYAML reads the text. The YAML library's own error would name neither key nor rule.
func (d *Duration) UnmarshalYAML(text []byte) error {
	v, err := time.ParseDuration(strings.Trim(string(text), `"' `))
	if err != nil {
		return fmt.Errorf(`a span of time must be as in "90s" or "2m", got %s`, text)
	}
	*d = Duration(v)
	return nil
}

// Map is the web map's ground.
type Map struct {
	Style       string    `yaml:"style"`  // URL of a MapLibre style
	Center      []float64 `yaml:"center"` // [lon, lat]
	Zoom        float64   `yaml:"zoom"`
	Attribution string    `yaml:"attribution"`
}

// Defaults.
const (
	defaultHTTP   = "127.0.0.1:8080"
	defaultMQTT   = "127.0.0.1:1883"
	defaultBucket = "nhip"
	defaultAgency = "hanoi"
	defaultZoom   = 12
)

// hanoi is the middle of the map of a city that is not known yet: Hoàn Kiếm lake.
func hanoi() []float64 { return []float64{105.8524, 21.0288} }

// Default returns what holds where nothing is set.
func Default() Config {
	return Config{
		HTTP:   HTTP{Listen: defaultHTTP},
		MQTT:   MQTT{Listen: defaultMQTT},
		Influx: Influx{Bucket: defaultBucket},
		Feeds: []Feed{
			{Topic: "/hfp/v2/#", Format: "hfp", Agency: "hsl"},
			{Topic: "nhip/in/position/+", Format: "position", Agency: defaultAgency},
			{Topic: "nhip/in/reading/+", Format: "reading", Agency: defaultAgency},
		},
		Map: Map{Center: hanoi(), Zoom: defaultZoom},
	}
}

// Load reads a file over the defaults. An error names the line and column.
func Load(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("can't read the configuration: %w", err)
	}
	c, err := Parse(raw)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads YAML over the defaults and checks it.
func Parse(raw []byte) (Config, error) {
	c := Default()
	var anything any // the library empties what it reads nothing into
	if err := yaml.Unmarshal(raw, &anything); err != nil || anything != nil {
		if err := yaml.UnmarshalWithOptions(raw, &c, yaml.Strict()); err != nil {
			return Config{}, errors.New(yaml.FormatError(err, false, false)) // one line, without an excerpt
		}
	}
	return c, c.Check()
}

// Check refuses values that can't work. The error begins with the key.
func (c *Config) Check() error {
	for _, rule := range []error{
		checkListen("http.listen", c.HTTP.Listen),
		checkListen("mqtt.listen", c.MQTT.Listen),
		checkURL("http.public_url", c.HTTP.PublicURL),
		checkURL("influx.url", c.Influx.URL),
		checkURL("map.style", c.Map.Style),
		c.Map.check(),
	} {
		if rule != nil {
			return rule
		}
	}
	if c.Influx.Bucket == "" {
		return fmt.Errorf("influx.bucket: must not be empty")
	}
	if len(c.Feeds) == 0 {
		return fmt.Errorf("feeds: must hold at least one feed")
	}
	for i, f := range c.Feeds {
		if f.Latency < 0 {
			return fmt.Errorf("feeds[%d].latency: must not be negative", i)
		}
		if f.Agency == "" {
			return fmt.Errorf("feeds[%d].agency: is required", i)
		}
	}
	return nil
}

func (m *Map) check() error {
	if len(m.Center) != 2 || !(math.Abs(m.Center[0]) <= 180 && math.Abs(m.Center[1]) <= 90) {
		return fmt.Errorf("map.center: must be [lon, lat] in degrees")
	}
	if !(m.Zoom >= 0 && m.Zoom <= 22) {
		return fmt.Errorf("map.zoom: must be between 0 and 22, got %v", m.Zoom)
	}
	return nil
}

func checkListen(key, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: must be host:port, got %q", key, addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: the port must be between 0 and 65535, got %q", key, port)
	}
	return nil
}

func checkURL(key, s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s: must be an http or https address, got %q", key, s)
	}
	return nil
}
