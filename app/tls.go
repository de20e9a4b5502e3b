package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"nhip/internal/certs"
)

// httpTLS loads the certificate of the HTTP listeners. Without one it returns nil: they are plain.
func (r *runtime) httpTLS() (*tls.Config, error) {
	t := r.conf.HTTP.TLS
	return loadTLS("http.tls", certs.Files{Cert: t.Cert, Key: t.Key}, r.log)
}

// loadTLS loads a listener's certificate. Without one it returns nil: the listener is plain.
func loadTLS(key string, f certs.Files, log *slog.Logger) (*tls.Config, error) {
	if f.Cert == "" {
		return nil, nil
	}
	secured, err := f.Load(log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return secured, nil
}
