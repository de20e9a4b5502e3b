// Package mosquitto embeds the Mosquitto configuration that the project ships.
package mosquitto

import _ "embed"

// Conf is mosquitto.conf.
//
//go:embed mosquitto.conf
var Conf string

// ACL is the access list of roles, and of devices by pattern.
//
//go:embed acl
var ACL string
