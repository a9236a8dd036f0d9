// Properties of `kit::LutFifo`. `cargo xtask formal` puts this text at the end of module `fifo` (four entries of
// eight bits), where it sees ports and internals. All inputs are free in every cycle, reset included.
//
// `level` is what the queue is to hold, by its contract alone. One entry, any that is accepted while none is
// tracked, becomes the token: after exactly as many pops as there were entries before it, it must be at the head
// with its data. As the token may be any entry, none is lost, repeated, changed or out of order.

(* anyseq *) wire pick;

reg [2:0] level = 0;
reg tracked = 0;
reg [1:0] ahead = 0;
reg [7:0] token = 0;

// A push to a full queue and a pop of an empty one are ignored.
wire accepted = push && level != 4;
wire taken = pop && level != 0;

always @(posedge cr$clock) begin
  if (cr$reset) begin
    level <= 0;
    tracked <= 0;
  end else begin
    level <= level + 3'(accepted) - 3'(taken);
    if (tracked) begin
      if (taken && ahead == 0) tracked <= 0;
      if (taken) ahead <= ahead - 1;
    end else if (accepted && pick) begin
      tracked <= 1;
      token <= data;
      ahead <= 2'(level - 3'(taken));
    end
  end
end

wire [1:0] token_index = head_index + ahead;

always @(*) begin
  assert (count == level);
  assert (full == (level == 4));
  assert (valid == (level != 0));
  if (tracked && ahead == 0) assert (head == token);

  // What induction needs to know of the inside: the indices lie as far apart as the level says, and the token lies
  // within the queue, where its turn will come.
  assert (level <= 4);
  assert (2'(tail_index - head_index) == level[1:0]);
  if (tracked) begin
    assert (ahead < level);
    assert (mem[token_index] == token);
  end

  // The proof speaks of something: a token waits its turn behind a full queue's other entries, and leaves.
  cover (tracked && ahead == 3 && full && head != token);
  cover (tracked && ahead == 0 && taken && token == 8'h5a && token_index == 3);
end
