// How Jin et al. (2018) train: Adam, whose rate falls with the square root of the epoch.
{
  num_epochs: 200,
  optimizer: { type: 'fused_adam', lr: 0.001, betas: [0.9, 0.999], eps: 1e-8 },
  learning_rate_scheduler: { type: 'inverse_square_root' },
  validation_metric: '+accuracy',
  checkpointer: { keep_most_recent_by_count: 1 },
  callbacks: [{ type: 'resumable' }, { type: 'boosting' }, { type: 'last_epochs', number: 20 }],
}
