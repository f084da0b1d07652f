using PicoGpt.Architecture;
using PicoGpt.Training;
using PicoGpt.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Tensor = TorchSharp.torch.Tensor;

namespace PicoGpt.Peers.Torch;

/// <summary>Training by libtorch through TorchSharp: autograd, and TorchSharp's own AdamW, with the same decay and clipping as <see cref="Trainer"/>.</summary>
internal sealed class TorchTraining : IDisposable
{
    private readonly Gpt2HyperParameters _h;
    private readonly TrainingOptions _options;
    private readonly Dictionary<string, Tensor> _weights = [];
    private readonly Parameter[] _parameters;
    private readonly AdamW _optimizer;
    private readonly TorchModel _model;

    static TorchTraining() => TorchLibrary.Load();

    /// <param name="model">The model in float32.</param>
    /// <param name="options">How it is trained.</param>
    public TorchTraining(Gpt2Model model, TrainingOptions options)
    {
        (_h, _options) = (model.HyperParameters, options);
        set_num_threads(options.Threads);
        List<Parameter> decaying = [], others = [];
        foreach (Gpt2Weight weight in model.Parameters)
        {
            var parameter = new Parameter(TorchModel.TensorOf(weight, ScalarType.Float32), requires_grad: true);
            _weights.Add(weight.Name, parameter);
            (weight.Leaf.Kind is Gpt2LeafKind.Gain or Gpt2LeafKind.Bias ? others : decaying).Add(parameter);
        }

        _parameters = [.. decaying, .. others];
        _optimizer = optim.AdamW([Group(decaying, options.WeightDecay), Group(others, 0)]);
        _model = new TorchModel(_h, _weights);
    }

    /// <summary>Does a step.</summary>
    /// <param name="ids">The token ids of the texts of a batch, [texts · n_seq].</param>
    /// <param name="targets">The token after each.</param>
    /// <param name="rate">The learning rate.</param>
    /// <returns>The mean cross-entropy, in nats.</returns>
    public double Next(int[] ids, int[] targets, double rate)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (var group in _optimizer.ParamGroups) group.LearningRate = rate;
        _optimizer.zero_grad();
        Tensor x = _model.Run(tensor(ids), _options.BatchSize, position: 0, (heads, _) => functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_casual: true));
        Tensor loss = functional.cross_entropy(_model.Logits(x).view(-1, _h.NVocab), tensor(targets, ScalarType.Int64));
        loss.backward();
        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        return loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (Tensor weight in _weights.Values) weight.Dispose();
    }

    private AdamW.ParamGroup Group(List<Parameter> parameters, double decay) =>
        new(parameters, _options.LearningRate, _options.Beta1, _options.Beta2, _options.Epsilon, decay);
}
