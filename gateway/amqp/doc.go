// Package amqp receives messages from the queues of an AMQP 0-9-1 broker, such as RabbitMQ, and acknowledges each after
// it is stored.
package amqp
