package main

import "errors"

// Exit codes beside 0. What a command says of its own goes before; see exitRefused.
const (
	exitFailed     = 1
	exitWrongUsage = 2
)

// failure is what went wrong although the command was used rightly. Any other error that a command returns is about its usage, as
// those of cobra are.
type failure struct{ error }

// toldError ends the process with an exit code; what it is about has been written already.
type toldError struct {
	error
	code int
}

// exitCode says how the process ends, and whether the error has yet to be written.
func exitCode(err error) (code int, untold bool) {
	var told toldError
	switch {
	case err == nil:
		return 0, false
	case errors.As(err, &told):
		return told.code, false
	case errors.As(err, new(failure)):
		return exitFailed, true
	}
	return exitWrongUsage, true
}
