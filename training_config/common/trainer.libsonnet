// How it is trained.
{
  num_epochs: 20,
  patience: 5,
  optimizer: { type: 'adam', lr: 0.002, betas: [0.9, 0.99] },
  grad_norm: 5.0,
  checkpointer: { keep_most_recent_by_count: 1 },
  callbacks: [{ type: 'resumable' }],
}
