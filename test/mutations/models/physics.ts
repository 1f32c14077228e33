/** Networks whose derivatives are the point: equations, energies, flows of time, steps within steps. */
import { cat, functional as F, grad, nn, optim, tensor } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { normals, values } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

const tanhNet = (inputs: number, hidden: number, outputs: number): nn.Sequential =>
  new nn.Sequential(
    new nn.Linear(inputs, hidden),
    new nn.Tanh(),
    new nn.Linear(hidden, hidden),
    new nn.Tanh(),
    new nn.Linear(hidden, outputs),
  );

/** u'' + u = 0 with u(0) = 1 and u'(0) = 0 (Raissi et al., "Physics-informed neural networks", 2019). */
export const physicsInformed: Mutation = {
  name: "a physics-informed net: second derivatives by the input in the loss, which is differentiated by the weights",
  make: () => {
    const net = tanhNet(1, 12, 1);
    const optimizer = new optim.Adam(net.parameters(), { lr: 2e-2 });
    return training({
      batch: { times: values([8, 1], (i) => i / 4) },
      step({ times }) {
        optimizer.zeroGrad();
        const t = times.detach();
        t.requiresGrad = true;
        const u = net.forward(t);
        const [velocity] = grad(u.sum(), [t], { createGraph: true });
        const [acceleration] = grad(velocity.sum(), [t], { createGraph: true });
        const equation = acceleration.add(u).square().mean();
        const start = u.select(0, 0).sub(1).square().sum().add(velocity.select(0, 0).square().sum());
        const loss = equation.add(start);
        loss.backward();
        optimizer.step();
        return { loss, equation };
      },
    });
  },
  goals: { loss: 0.7 },
};

/** dq/dt = dH/dp, dp/dt = -dH/dq with a learned energy H (Greydanus et al., 2019). */
export const hamiltonian: Mutation = {
  name: "a Hamiltonian net: the field is the gradient of a learned energy",
  make: () => {
    const energy = tanhNet(2, 12, 1);
    const optimizer = new optim.Adam(energy.parameters(), { lr: 2e-2 });
    return training({
      batch: { states: normals(21, [8, 2]) },
      step({ states }) {
        optimizer.zeroGrad();
        const state = states.detach();
        state.requiresGrad = true;
        const [slope] = grad(energy.forward(state).sum(), [state], { createGraph: true });
        const [dq, dp] = slope.chunk(2, -1) as [Tensor, Tensor];
        const field = cat([dp, dq.neg()], -1);
        const [q, p] = states.split(1, -1) as [Tensor, Tensor];
        const loss = F.mseLoss(field, cat([p, q.sin().neg()], -1));
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** dx/dt = f(x), four steps of Runge and Kutta's, one net in all sixteen places. */
export const neuralOde: Mutation = {
  name: "a neural ODE: an unrolled Runge-Kutta integrator that shares its weights",
  make: () => {
    const field = new nn.Sequential(new nn.Linear(2, 12), new nn.Softplus(), new nn.Linear(12, 2));
    const optimizer = new optim.Adam(field.parameters(), { lr: 3e-2 });
    const advance = (x: Tensor, dt: number): Tensor => {
      const k1 = field.forward(x);
      const k2 = field.forward(x.add(k1.mul(dt / 2)));
      const k3 = field.forward(x.add(k2.mul(dt / 2)));
      const k4 = field.forward(x.add(k3.mul(dt)));
      return x.add(
        k1
          .add(k2.mul(2))
          .add(k3.mul(2))
          .add(k4)
          .mul(dt / 6),
      );
    };
    const turn = tensor([
      [0, 1],
      [-1, 0],
    ]);
    return training({
      batch: { start: normals(22, [6, 2]) },
      step({ start }) {
        optimizer.zeroGrad();
        let x = start;
        for (let i = 0; i < 4; i++) x = advance(x, 0.25);
        const loss = F.mseLoss(x, start.matmul(turn));
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** The weights of one net are the output of another (Ha et al., "HyperNetworks", 2017). */
export const hypernetwork: Mutation = {
  name: "a hypernetwork: a net makes another's weights, one set for each layer's embedding",
  make: () => {
    const layers = new nn.Embedding(2, 4);
    const maker = new nn.Linear(4, 6 * 6 + 6);
    const optimizer = new optim.SGD([...layers.parameters(), ...maker.parameters()], { lr: 0.1, momentum: 0.9 });
    return training({
      batch: { x: normals(23, [8, 6]), y: normals(24, [8, 6]) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const made = maker.forward(layers.weight).mul(0.5);
        let hidden = x;
        for (const layer of made.unbind(0)) {
          const [weight, bias] = layer.split([36, 6]) as [Tensor, Tensor];
          hidden = F.linear(hidden, weight.view(6, 6), bias).tanh();
        }
        const loss = F.mseLoss(hidden, y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.95 },
};

type Weights = readonly [Tensor, Tensor, Tensor, Tensor];

/** Weights from which one step of descent goes far (Finn et al., "MAML", 2017). */
export const innerStep: Mutation = {
  name: "MAML: a gradient step inside the loss, differentiated through",
  make: () => {
    const [hidden, out] = [new nn.Linear(1, 10), new nn.Linear(10, 1)];
    const parameters = [...hidden.parameters(), ...out.parameters()];
    const optimizer = new optim.Adam(parameters, { lr: 2e-2 });
    const predict = (x: Tensor, [w1, b1, w2, b2]: Weights): Tensor => F.linear(F.linear(x, w1, b1).tanh(), w2, b2);
    return training({
      batch: { points: values([5, 1], (i) => i - 2), others: values([5, 1], (i) => i / 2 - 1) },
      step({ points, others }) {
        optimizer.zeroGrad();
        const losses = [0, 1, 2].map((phase) => {
          const inner = F.mseLoss(predict(points, parameters as unknown as Weights), points.add(phase).sin());
          const gradients = grad(inner, parameters, { createGraph: true });
          const adapted = parameters.map((weight, i) => weight.sub((gradients[i] as Tensor).mul(0.1)));
          return F.mseLoss(predict(others, adapted as unknown as Weights), others.add(phase).sin());
        });
        const loss = losses.reduce((sum, one) => sum.add(one)).div(3);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};
