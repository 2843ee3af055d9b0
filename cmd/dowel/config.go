package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"dowel/engine/egress"
	"dowel/engine/secret"
)

// Config is the settings of a process. Each comes from the environment, or from the file given with
// --config, in this order; a secret also from the file its _FILE variable names.
type Config struct {
	Listen        string
	PublicURL     string
	DataDir       string
	MongoDBURI    string
	MongoInsecure bool
	MasterKey     string
	OldMasterKeys string
	ConnectorsDir string
	LogLevel      string
	LogFormat     string
	Timeout       time.Duration
	ReadWait      time.Duration
	CacheTTL      time.Duration
	Pool          int
	AllowPrivate  []netip.Prefix
	AllowHTTP     []string
	ProxyURL      *url.URL
	CAFile        string
	SimulatorURL  string
	Dev           bool
}

// Setting is one documented setting.
type Setting struct {
	Name, Default, Doc string
	// Secret settings can also be given as a file, with _FILE behind the name.
	Secret bool
	set    func(c *Config, v string) error
}

// Settings lists every setting there is.
func Settings() []Setting {
	return []Setting{
		{"DOWEL_LISTEN", "127.0.0.1:8080", "Address to listen on.", false, text(func(c *Config) *string { return &c.Listen })},
		{"DOWEL_PUBLIC_URL", "", "Where browsers and providers reach Dowel; the redirect URI is this plus /callback. In dev mode the listen address.", false, text(func(c *Config) *string { return &c.PublicURL })},
		{"DOWEL_DATA_DIR", "data", "Directory of the embedded store and of dev.json.", false, text(func(c *Config) *string { return &c.DataDir })},
		{"DOWEL_MONGODB_URI", "", "MongoDB to use instead of the embedded store; the database is the URI's, or dowel.", true, text(func(c *Config) *string { return &c.MongoDBURI })},
		{"DOWEL_MONGODB_INSECURE", "false", "Accept a MongoDB on another machine without a user name.", false, boolean(func(c *Config) *bool { return &c.MongoInsecure })},
		{"DOWEL_MASTER_KEY", "", "The master key, as dowel keys new prints it. Required outside dev mode.", true, text(func(c *Config) *string { return &c.MasterKey })},
		{"DOWEL_OLD_MASTER_KEYS", "", "Earlier master keys, comma-separated, that may still open what they sealed.", true, text(func(c *Config) *string { return &c.OldMasterKeys })},
		{"DOWEL_CONNECTORS_DIR", "", "Directory of definitions to serve beside those that come with Dowel; the same id replaces one.", false, text(func(c *Config) *string { return &c.ConnectorsDir })},
		{"DOWEL_LOG_LEVEL", "info", "debug, info, warn or error.", false, text(func(c *Config) *string { return &c.LogLevel })},
		{"DOWEL_LOG_FORMAT", "text", "text or json.", false, text(func(c *Config) *string { return &c.LogFormat })},
		{"DOWEL_PROVIDER_TIMEOUT", "30s", "How long one call to a provider may take; 30s at most.", false, duration(func(c *Config) *time.Duration { return &c.Timeout })},
		{"DOWEL_READ_WAIT", "15s", "How long a reader waits for a renewal when the old token is of no use.", false, duration(func(c *Config) *time.Duration { return &c.ReadWait })},
		{"DOWEL_TOKEN_CACHE_TTL", "1s", "How old a sealed token answer in memory may be; a negative value keeps none.", false, duration(func(c *Config) *time.Duration { return &c.CacheTTL })},
		{"DOWEL_REFRESH_POOL", "64", "How many renewals run at once.", false, number(func(c *Config) *int { return &c.Pool })},
		{"DOWEL_ALLOW_PRIVATE", "", "Address ranges, comma-separated, that providers may have although they are not public, such as 10.20.0.0/16.", false, prefixes},
		{"DOWEL_ALLOW_HTTP", "", "Hosts, comma-separated, that may be called without TLS.", false, list(func(c *Config) *[]string { return &c.AllowHTTP })},
		{"DOWEL_PROXY_URL", "", "Proxy for calls to providers. The environment's proxy variables are never read.", false, proxy},
		{"DOWEL_CA_FILE", "", "PEM file of authorities to trust in addition to the system's.", false, text(func(c *Config) *string { return &c.CAFile })},
		{"DOWEL_SIMULATOR_URL", "", "Dev mode only: a running dowel simulator to use instead of one of our own.", false, text(func(c *Config) *string { return &c.SimulatorURL })},
	}
}

func text(f func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error { *f(c) = v; return nil }
}

func boolean(f func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v != "true" && v != "false" && v != "" {
			return errors.New("must be true or false")
		}
		*f(c) = v == "true"
		return nil
	}
}

func duration(f func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil {
			return errors.New("must be a duration such as 90s")
		}
		*f(c) = d
		return nil
	}
}

func number(f func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		var n int
		if _, err := fmt.Sscanf(v, "%d", &n); err != nil || n < 1 || n > 10_000 || fmt.Sprint(n) != v {
			return errors.New("must be a number from 1 to 10000")
		}
		*f(c) = n
		return nil
	}
}

func list(f func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error {
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				*f(c) = append(*f(c), s)
			}
		}
		return nil
	}
}

func prefixes(c *Config, v string) error {
	var all []string
	_ = list(func(*Config) *[]string { return &all })(c, v) // never fails
	for _, s := range all {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("%q is not a range such as 10.20.0.0/16", s)
		}
		c.AllowPrivate = append(c.AllowPrivate, p)
	}
	return nil
}

func proxy(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" {
		return errors.New("must be an address such as http://proxy.internal:3128")
	}
	c.ProxyURL = u
	return nil
}

// loadConfig reads every setting and returns every complaint at once.
func loadConfig(file string, environ func(string) string) (*Config, error) {
	values, err := readConfigFile(file)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	var complaints []error
	for _, s := range Settings() {
		v, err := s.value(values, environ)
		if err == nil {
			err = s.set(c, v)
		}
		if err != nil {
			complaints = append(complaints, fmt.Errorf("%s: %w", s.Name, err))
		}
		delete(values, key(s.Name))
		delete(values, key(s.Name)+"_file")
	}
	for k, n := range values {
		complaints = append(complaints, fmt.Errorf("%s:%d:%d: there is no setting %s", file, n.Line, n.Column, k))
	}
	return c, errors.Join(complaints...)
}

// key is a setting's name in the file: DOWEL_DATA_DIR is data_dir.
func key(name string) string { return strings.ToLower(strings.TrimPrefix(name, "DOWEL_")) }

func (s Setting) value(file map[string]yaml.Node, environ func(string) string) (string, error) {
	if v := environ(s.Name); v != "" {
		return v, nil
	}
	from := ""
	if s.Secret {
		n := file[key(s.Name)+"_file"]
		from = cmp.Or(environ(s.Name+"_FILE"), n.Value)
	}
	if from != "" {
		b, err := os.ReadFile(from) // #nosec G304: the operator names the file
		if err != nil {
			return "", fmt.Errorf("read the file it names: %w", err)
		}
		return strings.TrimSpace(string(b)), nil
	}
	n := file[key(s.Name)]
	return cmp.Or(n.Value, s.Default), nil
}

func readConfigFile(file string) (map[string]yaml.Node, error) {
	values := map[string]yaml.Node{}
	if file == "" {
		return values, nil
	}
	b, err := os.ReadFile(file) // #nosec G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if err := yaml.Unmarshal(b, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return values, nil
}

// masterKeys reads the keys; without one the process does not start, and says how to make one.
func (c *Config) masterKeys() ([]secret.MasterKey, error) {
	if c.MasterKey == "" {
		return nil, errors.New("no master key: credentials are never stored without one. Make one with\n\n  dowel keys new > master.key\n\nand set DOWEL_MASTER_KEY_FILE=master.key. Keep a copy: without it nothing that was stored can be read")
	}
	first, err := secret.ParseMasterKey(c.MasterKey)
	if err != nil {
		return nil, fmt.Errorf("DOWEL_MASTER_KEY: %w", err)
	}
	keys := []secret.MasterKey{first}
	for s := range strings.SplitSeq(c.OldMasterKeys, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		k, err := secret.ParseMasterKey(s)
		if err != nil {
			return nil, fmt.Errorf("DOWEL_OLD_MASTER_KEYS: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// egress is the policy for calls to providers.
func (c *Config) egress() (egress.Policy, error) {
	p := egress.Policy{AllowPrivate: c.AllowPrivate, AllowHTTP: c.AllowHTTP, Timeout: c.Timeout, Proxy: c.ProxyURL, PerHost: c.Pool}
	if c.CAFile == "" {
		return p, nil
	}
	b, err := os.ReadFile(c.CAFile)
	if err != nil {
		return p, fmt.Errorf("DOWEL_CA_FILE: %w", err)
	}
	p.ExtraCA = b
	return p, nil
}
