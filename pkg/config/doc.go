// Package config says what an operator may set: the types, their defaults, and a strict load of the file.
//
// Its promise: a configuration is either read whole or refused whole. Parse lays the file over Default, repairs
// nothing silently, and reports every fault it can find in one go, each with file, line, column, path, the line at
// fault and what would be allowed. Apart from Load, which reads one file, nothing here touches the world outside.
//
// Sub-package strict is the reader behind it; every YAML file of Sluice goes through it.
package config
