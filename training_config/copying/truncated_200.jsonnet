// The copying problem at T = 200 with backpropagation truncated to windows of 8 steps, and no memory.
(import 'truncated.jsonnet') + {
  delay:: 200,
}
