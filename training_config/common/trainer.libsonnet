// How it is trained.
{
  num_epochs: 8,
  optimizer: { type: 'fused_adam', lr: 0.002, betas: [0.9, 0.99] },
  learning_rate_scheduler: { type: 'exponential', gamma: 0.8 },
  grad_norm: 5.0,
  checkpointer: { keep_most_recent_by_count: 1 },
  callbacks: [{ type: 'resumable' }],
}
