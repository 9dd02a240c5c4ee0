package pki

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCertificatesVerify(t *testing.T) {
	ca, err := NewAuthority("test")
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca.PEM()))
	server, err := ca.Server("api", "127.0.0.1", "kubernetes.default")
	require.NoError(t, err)
	client, err := ca.Client("jane", "admins", "users")
	require.NoError(t, err)

	cert := parse(t, server)
	for _, host := range []string{"127.0.0.1", "kubernetes.default"} {
		_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host})
		require.NoError(t, err)
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "elsewhere"})
	require.Error(t, err)
	who := parse(t, client)
	require.Equal(t, "jane", who.Subject.CommonName)
	require.ElementsMatch(t, []string{"admins", "users"}, who.Subject.Organization)
	_, err = who.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.NoError(t, err)
	_, err = who.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	require.Error(t, err, "a client's certificate serves")
}

// parse reads a pair, which checks that key and certificate belong together.
func parse(t *testing.T, p Pair) *x509.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	require.NoError(t, err)
	return pair.Leaf
}
