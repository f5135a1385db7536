// Long sequences: an encoder with a memory of its own past, Adam, and the norm of the gradient cut at one (Ke et al., 2018).
// Not theirs: batches of 16, a state of 64, twice the learning rate, and time scales of the gates up to 30 steps from the start.
{
  sizes:: { hidden_size: 64, longest_memory: 30 },
  encoder:: $.sizes + {
    type: 'sparse_attentive_lstm',
    attend_every: 1,
    top_k: 5,
    truncation: 5,
  },
  datasets_for_vocab_creation: ['train'],
  data_loader: { batch_size: 16, shuffle: true },
  validation_data_loader: { batch_size: 100 },
  trainer: {
    num_epochs: 20,
    optimizer: { type: 'adam', lr: 0.002 },
    grad_norm: 1.0,
    checkpointer: { keep_most_recent_by_count: 1 },
    callbacks: [{ type: 'resumable' }],
  },
}
