package core

import "time"

// Core is the decider. The zero Core is not usable; see New.
type Core struct{}

// New returns a core that knows nothing and does not lead.
func New(cfg Config) *Core { return &Core{} }

// Step takes in the events, decides, and returns what is to be done. Now must not be before that of the last step.
func (c *Core) Step(now time.Time, events []Event) []Effect { panic("being written") }

// Wake returns when Step is to be called if nothing happens; a time in the past means at once, and ok is false when there is nothing to wait for.
func (c *Core) Wake() (at time.Time, ok bool) { return time.Time{}, false }

// Subject returns what the core was busy with, to be read after a panic.
func (c *Core) Subject() Subject { return Subject{} }

// Dump writes the state canonically: two cores that were told the same facts, and are at rest, dump the same.
func (c *Core) Dump() string { return "" }

// Stats returns the counters.
func (c *Core) Stats() Stats { return Stats{} }

// Verify reckons all accounts anew and returns what differs; for tests.
func (c *Core) Verify() error { return nil }
