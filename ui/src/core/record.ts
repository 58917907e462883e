// What the API says of an exchange; see docs/record.md.

export interface Record {
  id: string;
  timestamp: number;
  seq: number;
  method: string | null;
  url: string | null;
  endpoint: string | null;
  operation: string | null;
  status: number | null;
  outcome: string | null;
  aborted_by: string | null;
  stream_complete: boolean | null;
  error: string | null;
  error_type: string | null;
  duration_ms: number | null;
  ttfb_ms: number | null;
  ttft_ms: number | null;
  tokens_per_second: number | null;
  protocol: string | null;
  provider: string | null;
  model: string | null;
  response_model: string | null;
  mapped_model: string | null;
  stream: boolean | null;
  account_email: string | null;
  user: string | null;
  api_key: string | null;
  session_id: string | null;
  client_ip: string | null;
  user_agent: string | null;
  input_tokens: number | null;
  cache_read_tokens: number | null;
  cache_creation_tokens: number | null;
  output_tokens: number | null;
  reasoning_tokens: number | null;
  total_tokens: number | null;
  usage_source: string | null;
  usage_partial: boolean | null;
  estimated_output_tokens: number | null;
  cost_usd: number | null;
  reported_cost_usd: number | null;
  price_source: string | null;
  finish_reason: string | null;
  response_id: string | null;
  request_id: string | null;
  messages_count: number | null;
  tools_count: number | null;
  tool_calls_count: number | null;
  request_bytes: number | null;
  response_bytes: number | null;
  request_body_state: string | null;
  response_body_state: string | null;
}

export interface Attempt {
  addr: string | null;
  status: number | null;
  connect_ms: number | null;
  header_ms: number | null;
  response_ms: number | null;
  bytes: number | null;
}

export interface Message {
  text: string | null;
  thinking: string | null;
  refusal: string | null;
  tool_calls: { name: string | null; arguments: unknown }[];
}

export interface Detail extends Record {
  upstreams: Attempt[] | null;
  usage: object | null;
  message: Message | null;
  request_body: string | null;
  request_body_truncated: boolean;
  response_body: string | null;
  response_body_truncated: boolean;
}

export interface List {
  total: number | null;
  partial?: true;
  limit: number;
  next: string | null;
  logs: Record[];
}

export interface Flight {
  id: string;
  timestamp: number;
  method: string | null;
  endpoint: string | null;
  operation: string | null;
  status: number | null;
  elapsed_ms: number;
  ttft_ms: number | null;
  protocol: string | null;
  provider: string | null;
  model: string | null;
  stream: boolean | null;
  account_email: string | null;
  user: string | null;
  session_id: string | null;
  client_ip: string | null;
  response_bytes: number | null;
  output_tokens: number | null;
  estimated_output_tokens: number | null;
}
