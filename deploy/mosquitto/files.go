// Package mosquitto holds the configuration of Mosquitto that we ship.
package mosquitto

import _ "embed"

// Conf is mosquitto.conf.
//
//go:embed mosquitto.conf
var Conf string

// ACL is the access list of the roles, and of devices by pattern.
//
//go:embed acl
var ACL string
