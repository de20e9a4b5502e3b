// Package brokerconf generates the configuration of external brokers, so that they accept the same devices with the
// same topics as the gateway's embedded broker.
package brokerconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nhip/deploy/mosquitto"
	"nhip/internal/fleet"
	"nhip/internal/topics"
)

// File is a generated file.
type File struct {
	Name string
	Text string
}

// patternSection is the first line of the section for devices in the shipped access list. The generated list replaces
// the section.
const patternSection = "# A device that publishes to this broker directly"

// Mosquitto returns the access list, the accounts of devices and the settings for Mosquitto 2, and the ids of the
// devices that can't log in there with a secret because the fleet file has no Mosquitto hash of it.
func Mosquitto(f *fleet.Fleet, feeds fleet.Feeds) (files []File, without []string) {
	roles, _, _ := strings.Cut(mosquitto.ACL, patternSection)
	var acl, passwords strings.Builder
	acl.WriteString("# Generated from the fleet file by nhip broker-config mosquitto; do not edit.\n\n")
	acl.WriteString(strings.TrimRight(roles, "\n") + "\n")
	acl.WriteString("\n# The gateway also publishes on the topics of all feeds.\nuser nhip-gateway\n")
	for _, topic := range feedTopics(feeds) {
		fmt.Fprintf(&acl, "topic write %s\n", topic)
	}
	for i := range f.Devices {
		d := &f.Devices[i]
		if d.Disabled {
			continue
		}
		if d.Mosquitto == "" {
			without = append(without, d.ID)
		} else {
			fmt.Fprintf(&passwords, "%s:%s\n", d.ID, d.Mosquitto)
		}
		fmt.Fprintf(&acl, "\nuser %s\n", d.ID)
		for _, topic := range feeds.Topics(d) {
			fmt.Fprintf(&acl, "topic write %s\n", topic)
		}
		fmt.Fprintf(&acl, "topic deny %s#\ntopic read %s\n", topics.Import, topics.CommandFilter(d.ID))
	}
	return []File{
		{"nhip.acl", acl.String()},
		{"nhip-devices.passwd", passwords.String()},
		{"nhip.conf", mosquitto.Conf},
	}, without
}

// feedTopics returns the filters of all feeds, sorted.
func feedTopics(feeds fleet.Feeds) []string {
	topics := make(map[string]bool)
	for _, f := range feeds {
		topics[f.Topic] = true
	}
	return slices.Sorted(maps.Keys(topics))
}

// EMQX returns the access list, the accounts of devices and the settings for EMQX 5, and the ids of the devices without
// a secret. EMQX stores secrets as the fleet does, by their SHA-256; of two valid secrets it gets the newest.
func EMQX(f *fleet.Fleet, feeds fleet.Feeds) (files []File, without []string) {
	var acl strings.Builder
	acl.WriteString("%% Generated from the fleet file by nhip broker-config emqx; do not edit.\n")
	for _, r := range []struct{ user, action, topics string }{
		{"nhip-collector", "subscribe", quote("#")},
		{"nhip-collector", "publish", quote(
			"nhip/live/#", topics.Keys, topics.Devices, "nhip/dead/#", "nhip/event/#", "nhip/answer/#", "nhip/say/reminder/+",
			"nhip/probe/#")},
		{"nhip-api", "subscribe", quote(topics.Live, topics.Fleet, "nhip/event/#", topics.Responses, "nhip/probe/#")},
		{"nhip-api", "publish", quote(topics.Requests, topics.UserActions, "nhip/probe/#")},
		{"nhip-gateway", "subscribe", quote(topics.LiveCensus, topics.Devices, topics.Requests)},
		{"nhip-gateway", "publish", quote(append(
			[]string{"nhip/in/#", topics.Fleet, topics.Responses}, feedTopics(feeds)...)...)},
	} {
		fmt.Fprintf(&acl, "{allow, {username, %q}, %s, [%s]}.\n", r.user, r.action, r.topics)
	}
	var users []string
	for i := range f.Devices {
		d := &f.Devices[i]
		if d.Disabled {
			continue
		}
		fmt.Fprintf(&acl, "{deny, {username, %q}, publish, [%s]}.\n", d.ID, quote(topics.Import+"#"))
		fmt.Fprintf(&acl, "{allow, {'and', [{username, %q}, {clientid, {re, %q}}]}, publish, [%s]}.\n",
			d.ID, clientIDs(d), quote(feeds.Topics(d)...))
		fmt.Fprintf(&acl, "{allow, {username, %q}, subscribe, [%s]}.\n", d.ID, quote(topics.CommandFilter(d.ID)))
		if len(d.Secrets) == 0 {
			without = append(without, d.ID)
			continue
		}
		sum, _ := fleet.ParseDigest(d.Secrets[len(d.Secrets)-1]) // package fleet has checked it
		users = append(users,
			fmt.Sprintf(`{"user_id":%q,"password_hash":"%x","salt":"","is_superuser":false}`, d.ID, sum))
	}
	acl.WriteString("{deny, all}.\n")
	return []File{
		{"acl.conf", acl.String()},
		{"nhip-devices.json", "[" + strings.Join(users, ",\n ") + "]\n"},
		{"nhip-emqx.conf", emqxConf},
	}, without
}

// clientIDs returns the pattern of the client ids that a device may use.
func clientIDs(d *fleet.Device) string {
	tail := ""
	if len(d.Topics) > 0 {
		tail = "(-.*)?" // a bridge may have several connections
	}
	var id strings.Builder
	for _, r := range d.ID {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			id.WriteByte('\\')
		}
		id.WriteRune(r)
	}
	return "^" + id.String() + tail + "$"
}

func quote(all ...string) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(parts, ", ")
}

// emqxConf is the settings of EMQX. The access list binds client ids to user names: the authenticator can't distinguish
// the several connections of a role from those of a device.
const emqxConf = `## Generated by nhip broker-config emqx, for EMQX 5. Create the accounts nhip-collector, nhip-api and
## nhip-gateway in the dashboard; the accounts of devices come from nhip-devices.json.
authentication = [
  {
    mechanism = password_based
    backend = built_in_database
    user_id_type = username
    password_hash_algorithm {name = sha256, salt_position = disable}
    bootstrap_file = "etc/nhip-devices.json"
    bootstrap_type = hash
  }
]
authorization {
  no_match = deny
  deny_action = disconnect
  sources = [{type = file, enable = true, path = "etc/acl.conf"}]
}
mqtt {
  max_packet_size = 64KB
  max_topic_levels = 20
  max_mqueue_len = 1000000
  session_expiry_interval = 14d
  retain_available = true
}
durable_sessions {enable = true}
`
