package app

import (
	"errors"

	"nhip/gateway"
	"nhip/internal/certs"
	"nhip/internal/fleet"
)

// newGateway listens for MQTT devices and gives the gateway every version of the fleet.
func (r *runtime) newGateway(
	accounts gateway.Accounts, public gateway.PublicOptions,
) (*gateway.Gateway, *fleet.Watch, error) {
	m := r.conf.MQTT
	secured, err := loadTLS("mqtt.tls", certs.Files{
		Cert: m.TLS.Cert, Key: m.TLS.Key, ClientCA: m.ClientCA, CRL: m.CRL,
	}, r.log)
	if err != nil {
		return nil, nil, err
	}
	l := m.Limits
	g, err := gateway.New(gateway.Options{
		Addr: m.Listen, TLS: secured, Public: public, Accounts: accounts,
		Clock: r.clock, Logger: r.log, Registry: r.registry,
		Limits: gateway.Limits{
			Connections: r.maxConnections("mqtt.limits.connections", l.Connections),
			PerAddress:  int(l.PerAddress), ConnectRate: int(l.ConnectRate),
			MessageRate: int(l.MessageRate), ByteRate: int(l.ByteRate),
		},
	})
	if err != nil {
		return nil, nil, mqttListenError(err)
	}
	r.cleanup.Push("the broker", g.Stop)
	watch, err := r.watchFleet(func(f *fleet.Fleet) { g.SetFleet(f, FleetFeeds(&r.conf)) })
	return g, watch, err
}

// mqttListenError names the key of the address on which a gateway can't listen.
func mqttListenError(err error) error {
	var listen *gateway.ListenError
	if !errors.As(err, &listen) {
		return err
	}
	key := map[string]string{
		gateway.ListenerDevices: "mqtt.listen", gateway.ListenerWebSocket: "public.listen",
		gateway.ListenerMQTT: "public.mqtt", gateway.ListenerMQTTS: "public.mqtts",
	}[listen.Listener]
	if key == "" {
		return err
	}
	return &ListenError{key, err}
}
