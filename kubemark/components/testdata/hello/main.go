// Command hello is built by the tests.
package main

import "fmt"

func main() { fmt.Println("hello") }
