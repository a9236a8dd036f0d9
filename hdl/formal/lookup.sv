// Properties of `rx::Lookup`. `cargo xtask formal` puts this text at the end of module `lookup`, a table of two halves of
// two buckets, after yosys has dissolved its parts in it: `\left.rests.mem ` is a memory of its left half. All inputs are
// free in every cycle, reset included, but for the two rules of an operation: its inputs hold from `lk_start` until
// `lk_busy` falls, and none starts before. What the memories hold before the table is cleared is free too.
//
// `emit` leaves open what has proofs or tests of its own. The hash may be any function, of which the proof knows that
// one key has always the same digest, and that a digest stands until the next hash starts; it takes any time. The queues
// of frames show anything, but a frame at the head stays until it is taken (hdl/formal/fifo.sv).
//
// A key is three words of two bits instead of 32: the table only moves and compares them. A
// frame that is looked up carries what the program of connection.p4 says of one: bit 42.
//
// One key, any, is followed: the specification is whether it was inserted since it was last deleted, and with which
// value. As the key may be any key, what holds for it holds for all.

(* anyconst *) wire [5:0] key;
(* anyconst *) wire key_left;
(* anyconst *) wire key_right;

wire [5:0] looked_up = engine_key;
wire is_key = looked_up == key;
wire [5:0] asked = lk_key;

// Of each half: which entries stand, which of them hold the followed key, and which the key that the engine works on;
// and the entry's value. Entries 0 to 7 are those of the left half.
wire [15:0] stands;
wire [15:0] holds_key;
wire [15:0] holds_same;
wire [15:0] value [0:15];
genvar entry;
generate
  for (entry = 0; entry < 8; entry = entry + 1) begin : each
    wire [5:0] left_key = \left.firsts.mem [entry][17:12];
    wire [5:0] right_key = \right.firsts.mem [entry][17:12];
    assign stands[entry] = \left.rests.mem [entry][4];
    assign stands[entry + 8] = \right.rests.mem [entry][4];
    assign holds_key[entry] = stands[entry] && left_key == key;
    assign holds_key[entry + 8] = stands[entry + 8] && right_key == key;
    assign holds_same[entry] = stands[entry] && left_key == looked_up;
    assign holds_same[entry + 8] = stands[entry + 8] && right_key == looked_up;
    assign value[entry] = {\left.rests.mem [entry][3:0], \left.firsts.mem [entry][11:0]};
    assign value[entry + 8] = {\right.rests.mem [entry][3:0], \right.firsts.mem [entry][11:0]};
  end
endgenerate

// The buckets of the digest, and of the followed key.
wire left_bucket = hash$digest[0];
wire right_bucket = hash$digest[16];
wire [15:0] key_buckets = {{4{key_right}}, {4{!key_right}}, {4{key_left}}, {4{!key_left}}};

reg [31:0] digest_before;
reg [5:0] asked_before;
reg [15:0] value_before;
reg [1:0] op_before;
reg frame_stays = 0;
reg [43:0] facts_before;
reg [5:0] frame_before;
wire [5:0] frame_key = frame_keys$head;
always @(posedge cr$clock) begin
  digest_before <= hash$digest;
  asked_before <= asked;
  value_before <= lk_value;
  op_before <= lk_op;
  frame_stays <= frames$valid && !frames$pop && !cr$reset;
  facts_before <= frames$head;
  frame_before <= frame_key;
end

always @(*) begin
  if (lk_busy) assume (!lk_start && asked == asked_before && lk_value == value_before && lk_op == op_before);
  if (is_key && state > 2) assume (left_bucket == key_left && right_bucket == key_right);
  if (state > 3) assume (hash$digest == digest_before);
  if (frames$head[36]) assume (frames$head[42]);
  if (frame_stays) assume (frames$valid && frames$head == facts_before && frame_key == frame_before);
end

// The specification. The outcome of an operation shows in the cycle after its end.
reg present = 0;
reg [15:0] present_value;
reg ended = 0;
reg ended_key;
reg [1:0] ended_op;
reg [15:0] ended_value;
wire inserted = ended && ended_key && ended_op == 1 && lk_outcome == 0;
wire deleted = ended && ended_key && ended_op == 2 && lk_outcome == 0;
wire present_now = inserted || (present && !deleted);
wire [15:0] value_now = inserted ? ended_value : present_value;
always @(posedge cr$clock) begin
  present <= present_now && !cr$reset;
  present_value <= value_now;
  ended <= end_op && !cr$reset;
  ended_key <= asked == key;
  ended_op <= lk_op;
  ended_value <= lk_value;
end

// Ways of the buckets that a scan has seen.
wire [3:0] seen = state == 5 ? 4'hf : state != 4 || way < 2 ? 4'h0 : way == 2 ? 4'h1 : way == 3 ? 4'h3 : 4'h7;
wire [3:0] left_stands = stands[4*left_bucket +: 4];
wire [3:0] right_stands = stands[8 + 4*right_bucket +: 4];
wire [3:0] left_same = holds_same[4*left_bucket +: 4];
wire [3:0] right_same = holds_same[8 + 4*right_bucket +: 4];
wire [3:0] left_free = seen & ~left_stands;
wire [3:0] right_free = seen & ~right_stands;
wire [1:0] compared = 2'(way - 1);
wire [2:0] left_entry = {left_bucket, compared};
wire [2:0] right_entry = {right_bucket, compared};
wire [3:0] left_hit_entry = {1'b0, left_bucket, \left.hit_way };
wire [3:0] right_hit_entry = {1'b1, right_bucket, \right.hit_way };
integer i;

always @(*) begin
  // Operations: what was inserted is found with its value, what was deleted is not; to insert a key that is there
  // changes nothing, and only full buckets refuse. `present` is the table before the operation.
  if (ended && ended_key) begin
    if (ended_op == 1) begin
      assert ((lk_outcome == 3) == present);
      assert (lk_outcome != 2);
      if (lk_outcome == 1) assert (&(stands | ~key_buckets));
    end else begin
      assert (lk_outcome == (present ? 0 : 2));
      if (present) assert (lk_found == present_value);
    end
  end
  // Frames: one that is looked up hits if and only if its key is there, with the key's value; it is the oldest, and no
  // other has its key. One that is not looked up does not hit.
  if (results$push) begin
    assert (results$data[43:0] == frames$head);
    if (frames$head[36] && state != 0) assert (state == 5 && frame_key == looked_up);
    if (state == 5 && is_key) begin
      assert (results$data[44] == present_now);
      if (present_now) assert (results$data[60:45] == value_now);
    end
    if (state != 5) assert (!results$data[44]);
  end

  // What induction needs to know of the inside. The table holds the followed key at most once, in its buckets.
  assert (state <= 5);
  if (state == 0) begin
    assert (!present_now && !ended);
    for (i = 0; i < 8; i = i + 1) if (i < sweep) assert (!stands[i] && !stands[i + 8]);
  end else begin
    assert ((holds_key & ~key_buckets) == 0);
    assert ((holds_key & (holds_key - 16'd1)) == 0);
    assert (present_now == (holds_key != 0));
    for (i = 0; i < 16; i = i + 1) if (holds_key[i]) assert (value[i] == value_now);
  end
  // The engine works on the pending operation, or on the oldest frame.
  if (state >= 2) begin
    if (serves_op) assert (pending && looked_up == asked);
    else assert (frames$valid && frames$head[36] && looked_up == frame_key);
    assert (!ended);
  end
  assert (state == 4 ? way >= 1 && way <= 4 : way == (state == 5 ? 5 : 0));
  // The scan: what it has read, and what it knows of the ways that it has seen.
  if (state == 4) begin
    assert (\left.rests.read_data == \left.rests.mem [left_entry]);
    assert (\left.firsts.read_data == \left.firsts.mem [left_entry]);
    assert (\right.rests.read_data == \right.rests.mem [right_entry]);
    assert (\right.firsts.read_data == \right.firsts.mem [right_entry]);
  end
  if (state >= 3) begin
    assert (\left.hit == ((seen & left_same) != 0));
    assert (\right.hit == ((seen & right_same) != 0));
    if (\left.hit ) assert (seen[\left.hit_way ] && left_same[\left.hit_way ] && \left.hit_value == value[left_hit_entry]);
    if (\right.hit ) assert (seen[\right.hit_way ] && right_same[\right.hit_way ] && \right.hit_value == value[right_hit_entry]);
    assert (\left.free_ways == 3'(left_free[0]) + 3'(left_free[1]) + 3'(left_free[2]) + 3'(left_free[3]));
    assert (\right.free_ways == 3'(right_free[0]) + 3'(right_free[1]) + 3'(right_free[2]) + 3'(right_free[3]));
    if (left_free != 0) assert (left_free[\left.free_way ]);
    if (right_free != 0) assert (right_free[\right.free_way ]);
  end
end
