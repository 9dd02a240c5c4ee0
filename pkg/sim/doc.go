// Package sim joins the core to a cluster in memory under virtual time. Scenarios, fuzzing and replay run the very code that
// runs in production: only the API server and the clock are made up.
//
// A Cluster holds real API objects. What is done to them reaches the core as the facts that a watch would bring; what the core decides is
// carried out on them. After every step the invariants are checked, so that a scenario cannot pass over a bent account.
//
// Script runs a scenario written as text (see testdata): each command with the effects it caused, a transcript that a reader can follow
// and a test can compare.
package sim
