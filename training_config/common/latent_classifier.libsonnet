// The synthetic benchmark of Mihaylova et al. (2020), section 4.1: full-batch Adam, 10,000 steps; their numbers of points.
{
  num_clusters:: 3,
  dataset_reader: { type: 'latent_clusters', num_clusters: $.num_clusters },
  train_data_path: 'train',
  validation_data_path: 'dev',
  test_data_path: 'test',
  data_loader: { type: 'full_batch', steps_per_epoch: 100 },
  validation_data_loader: { type: 'full_batch' },
  model: {
    type: 'latent_classifier',
    num_categories: $.num_clusters,
    num_clusters: $.num_clusters,
    argmax: { structure: { type: 'categorical' }, estimator: { type: 'spigot' } },
  },
  trainer: {
    num_epochs: 100,
    optimizer: { type: 'fused_adam', lr: 0.001 },
    validation_metric: '+accuracy',
    checkpointer: { keep_most_recent_by_count: 1 },
    callbacks: [{ type: 'resumable' }],
  },
}
