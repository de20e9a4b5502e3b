package main

import (
	"strconv"
	"strings"

	"nhip/app"
	"nhip/internal/datadir"
	"nhip/internal/sim"

	"github.com/alecthomas/kong"
)

// helpVars returns the defaults and the help texts that several flags share or that are too long for a struct tag.
func helpVars() kong.Vars {
	return kong.Vars{
		"data_dir":       datadir.Default,
		"sim_buses":      strconv.Itoa(sim.DefaultBuses),
		"import_formats": strings.Join(app.ImportFormats(), ","),

		"help_log_level":    "Lowest level to log: debug, info, warn or error.",
		"help_config":       "Configuration file (YAML).",
		"help_feeds_config": "Configuration file (YAML), for its feeds.",
		"help_data_dir":     "Folder of everything that nhip keeps.",
		"help_api_data_dir": "Folder in which local tools look for the address.",
		"help_fleet_dir":    "Data folder, for its fleet.",
		"help_running_dir":  "Data folder of the running nhip, for its address and token.",
		"help_clock":        "Start the city's clock at T with the first device message and run it N times as fast.",
		"help_api_clock":    "Start the city's clock at T with the first live message and run it N times as fast.",
		"help_health":       "Address of /livez, /readyz and /metrics (health.listen).",
		"help_fleet":        "Fleet file; default: fleet.yaml of the data folder, if it exists.",

		"help_up_gtfs": "Timetable to show on the map and, with --simulate, to drive: a path or a URL, several " +
			"separated by commas.",
		"help_collector_gtfs": "Timetable to track buses on (gtfs): a path or a URL, several separated by commas.",
		"help_api_gtfs":       "Timetable to show on the map (gtfs): a path or a URL, several separated by commas.",
		"help_up_influx_url": "InfluxDB to use instead of the embedded one; its token is influx.token of the " +
			"configuration or NHIP_INFLUX_TOKEN.",
		"help_influx_url": "InfluxDB that the roles share (influx.url); its token is influx.token of the " +
			"configuration or NHIP_INFLUX_TOKEN.",
		"help_gateway_mqtt": "Address that devices publish to; port 0 picks a free one (mqtt.listen).",
		"help_gateway_push": "Address that devices push to over HTTP; port 0 picks a free one (push.listen).",

		"help_influx_admin_token": "Token of an administrator, user:password for InfluxDB 1.8. An InfluxDB that has no " +
			"administrator yet gets one with this token. Default: influx.token, or the password of the embedded InfluxDB.",
		"help_influx_keep": "How long InfluxDB keeps rows, as in 730d; 0d is for ever. Default: as it is; a new bucket: " +
			"for ever.",
		"help_ledger_in": "With --verify: compare with this InfluxDB in place of the one of the api, as with a copy of the " +
			"history before the roles use it.",
		"help_influx_at":  "InfluxDB; default: the embedded one that runs on the data folder (influx.url).",
		"help_copy_token": "Token there, with the rights of a collector: user:password for InfluxDB 1.8.",
		"help_copy_since": "Copy and compare only what is of this time or later, for a short last run; default: " +
			"everything.",
		"help_copy_progress": "File that remembers what has been copied; default: influx-copy.jsonl in the data folder.",
		"help_influx_listen": "Address that only this machine reaches; port 0 picks a free one (influx.listen); default: " +
			defaultInfluxListen + ".",

		"help_operator_url": "API, as in http://10.0.0.5:8080; default: the nhip that runs on the data folder.",
		"help_broker":       "MQTT broker; default: the nhip that runs on the data folder.",
		"help_recordings":   "Recordings, plain or gzip; several are merged by their time stamps.",
		"help_letter_device": "Only of this device: bus/<agency>/<vehicle>, air/<station>, topic/<topic>, or the last " +
			"part alone.",
		"help_ledger_device": "Only of this device: bus/<agency>/<vehicle>, air/<station>, or the last part alone.",
		"help_letter_ids": "Dead letters, as nhip dead list prints them; without any, those that the flags " +
			"select.",
		"help_device_feed": "Configured feed that the device belongs to. With --csv: the feed of rows without one.",
		"help_device_csv": "Add the devices of a table with the columns id, feed, topics (separated by blanks) and rate; " +
			"the last three may be left out. Either all are added, or none.",
		"help_device_topic": "MQTT filter under which the device may publish, if its feed does not contain the " +
			"device's id; may be repeated.",
		"help_device_mosquitto": "Also store the secret's Mosquitto hash, for nhip broker-config.",
		"help_device_secret":    "Generate a secret; a device with a certificate needs none.",
		"help_import_config":    "Configuration file (YAML), for the time zone of the format's feed.",
		"help_import_station": "Station, for formats without station names (csv without a column, OpenAQ answers); " +
			"default: the file's name.",
		"help_import_dry_run": "Publish nothing: print how the files are understood, the first readings, and the rows that " +
			"would be rejected.",
		"help_import_zone": "For csv: time zone of times without an offset, as in Asia/Ho_Chi_Minh; default: that of the " +
			"format's feed.",
		"help_import_order": "For csv: order of dates, dmy, mdy or ymd, if the dates of the table do not determine it.",
		"help_import_stamps": "For csv: whether a time is that of the ending or of the beginning of its averaging period " +
			"(ending or beginning).",
		"help_import_period": "For csv: averaging period; default: an hour, and a day for dates without a time of day.",
		"help_import_unit": "For csv: unit of a quantity that has none in the table, as in no2=ppb, or of all such " +
			"quantities, as in ppb; may be repeated.",
		"help_import_decimal":  "For csv: decimal sign, comma or point, if the numbers of the table do not determine it.",
		"help_import_encoding": "For csv: utf-8, utf-16, windows-1258 or windows-1252, if the bytes do not determine it.",
		"help_import_mapping":  "For csv: file (YAML) that names columns, quantities and stations; see docs/formats.md.",
		"help_decode_device":   "Device id, for the format's usual topic.",
		"help_decode_zone":     "Time zone of stamps without an offset (feeds[].zone), as in Asia/Ho_Chi_Minh.",
		"help_decode_period":   "Averaging period, if the format has none (feeds[].period).",
		"help_decode_fields":   "For tts and chirpstack: PATH=QUANTITY UNIT, … (feeds[].fields).",
		"help_decode_received": "Time of arrival, for devices without a clock and for the check of future times; " +
			"default: now.",
		"help_decode_speed": "For ufms: km/h or m/s (feeds[].speed_unit).",
		"help_decode_late":  "Also reject facts older than 100 days, as a collector does.",
	}
}
