// Long sequences: an encoder with a memory of its own past, and Adam (Ke et al., 2018). Not theirs: batches of 16, a state of 64,
// the learning rates, what is stored (a state before what it has read), and time scales of the gates up to 30 steps from the start.
{
  sizes:: { hidden_size: 64, attend_every: 5, stored: 'provisional', smoothing: 1.0, longest_memory: 30 },
  encoder:: $.sizes + {
    type: 'sparse_attentive_lstm',
    top_k: 5,
    truncation: 10,
  },
  datasets_for_vocab_creation: ['train'],
  data_loader: { batch_size: 16, shuffle: true },
  validation_data_loader: { batch_size: 100 },
  trainer: {
    num_epochs: 20,
    optimizer: { type: 'fused_adam', lr: 0.002 },
    learning_rate_scheduler: { type: 'linear_with_warmup', warmup_steps: 300 },
    grad_norm: 0.25,  // gradients that come through many memories can be a thousandfold
    checkpointer: { keep_most_recent_by_count: 1 },
    callbacks: [{ type: 'resumable' }],
  },
}
